"""The keys of the screen, what its prompts ask, and the page that tells of them."""

from __future__ import annotations

#: what a key is called, by textual or by its character -> the method that it calls
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
q ESC       end                         c    clear all rows
SPACE       pause and go on             h    mark changes, or not
up down     choose a row                ENTER  its last frames, and back
left right  sort by another column      r    the other way round
s           sort by identifier          g    rows of one channel together
p           keep the row on top         b    data as bits      @  as ASCII too
#           notch: ignore what changes  *    look at all bits again
n a         hide, show 11-bit           N A  hide, show 29-bit identifiers
/           show only 123, 100-1FF, 120:7F0, id in 100..1FF and data[0] eq 3
t           send 123#DEADBEEF, or again and again: 123#DEADBEEF 100ms;
            empty ends that
w           record to a file from here on, and end it
            in a log from a file:
. ,         one frame on, one back      ] [  10 s on, back      } {  a minute
:           go to a time: 90 (seconds), 2m, 50%, 2023-11-14 22:13:20
?           this page
mouse       head of a column: sort; row: choose, again: open; wheel: scroll

flags: R remote, F CAN FD, B bit rate switch, E error state, X CAN XL, T sent
"""
