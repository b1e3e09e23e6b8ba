#!/bin/sh
# An end-to-end demonstration without CAN hardware: frames are passed between commands and into logs. Every command
# is printed before it runs.
set -eu
here=$(mktemp -d)
simulator=
trap '[ -z "$simulator" ] || kill "$simulator"; rm -rf "$here"' EXIT
cd "$here"
export CANX_NET="demo-$$"
show() { printf '\n$ %s\n' "$*"; }

show 'canx --version'
canx --version

show 'canx gen -n 3 --seed 1                          # generate frames as log lines'
canx gen -n 3 --seed 1

show 'canx gen -n 1000 --seed 1 | canx convert --to asc | tail -3'
canx gen -n 1000 --seed 1 | canx convert --to asc | tail -3

show 'canx dump vcan0 | canx convert -o trace.blf &   # vcan0 is virtual:vcan0: this kernel has no CAN'
canx dump virtual:vcan0 -n 100002 | canx convert -o trace.blf &
recorder=$!
until canx list buses -i virtual | grep -q 'vcan0'; do :; done

show 'canx send vcan0 123#DEADBEEF 00000123#R4'
canx send virtual:vcan0 123#DEADBEEF 00000123#R4

show 'canx gen -n 100000 --seed 1 | canx send vcan0'
canx gen -n 100000 --seed 1 | canx send virtual:vcan0
wait $recorder

show 'canx convert trace.blf | wc -l'
canx convert trace.blf | wc -l

show 'canx convert trace.blf -f 123 --json | head -1'
canx convert trace.blf -f 123 --json | head -1

show 'canx xcom simulate virtual:xcom &               # simulate a Studer installation'
canx xcom simulate virtual:xcom -q &
simulator=$!
until canx list buses -i virtual -q | grep -q 'xcom'; do :; done

show 'CAN_INTERFACE=virtual CAN_CHANNEL=xcom canx xcom read-param 1286'
CAN_INTERFACE=virtual CAN_CHANNEL=xcom canx xcom read-param 1286
kill "$simulator"
simulator=

show 'ls -l trace.blf'
ls -l trace.blf | awk '{print $5, $9}'
