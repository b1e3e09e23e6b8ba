"""Key bindings, prompts and the help page of the screen."""

from __future__ import annotations

#: textual's name or the character of a key -> method of ``Controls``, without ``do_``
KEYS = {
    "q": "end",
    "escape": "leave",
    "c": "clear",
    "s": "sort_by_id",
    "h": "mark_changes",
    "space": "pause",
    "up": "up",
    "down": "down",
    "pageup": "page_up",
    "pagedown": "page_down",
    "enter": "open_row",
    "left": "column_left",
    "right": "column_right",
    "r": "reverse",
    "g": "group",
    "p": "pin",
    "b": "binary",
    "@": "ascii",
    "#": "notch",
    "*": "unnotch",
    "n": "hide_standard",
    "a": "show_standard",
    "N": "hide_extended",
    "A": "show_extended",
    "/": "ask_filter",
    "t": "ask_frame",
    "w": "ask_file",
    ":": "ask_place",
    ".": "step",
    ",": "step_back",
    "]": "later",
    "[": "earlier",
    "}": "much_later",
    "{": "much_earlier",
    "?": "help",
}
QUESTIONS = {"filter": "show only: ", "frame": "send: ", "file": "record to: ", "place": "go to: "}

HELP = """\
q ESC       quit                        c    clear all rows
SPACE       pause or resume             h    mark changes on or off
up down     select a row                ENTER  open or close the row
left right  sort by another column      r    reverse the order
s           sort by identifier          g    group rows by channel
p           pin the row to the top      b    data as bits      @  ASCII column
#           notch changing bits         *    stop ignoring bits
n a         hide, show 11-bit           N A  hide, show 29-bit identifiers
/           filter: 123, 100-1FF, 120:7F0, id in 100..1FF and data[0] eq 3
t           send 123#DEADBEEF, or periodically: 123#DEADBEEF 100ms;
            empty stops periodic frames
w           start recording to a file, or stop
            in a log file:
. ,         one frame forward, back     ] [  10 s forward, back } {  a minute
:           go to a time: 90 (seconds), 2m, 50%, 2023-11-14 22:13:20
?           this page
mouse       heading: sort; row: select, then open; wheel: scroll

flags: R remote, F CAN FD, B bit rate switch, E error state, X CAN XL, T sent
"""
