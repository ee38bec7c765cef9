# Telling what is done, stopping with advice, and what only a person can do.

set -u
umask 077
newline='
'
tab=$(printf '\t')
esc=$(printf '\033')
cr=$(printf '\r')
name='' number=0 back='' changing='' start=${START-} confirmed=${CONFIRMED-}

say() {
    printf '%s\n' "$1"
}

# complain MESSAGE ADVICE
complain() {
    printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
}

# stop CODE MESSAGE ADVICE
stop() {
    complain "$2" "$3"
    leave "$1"
}

# leave CODE: how to go on from this step, and the way back.
leave() {
    trap - INT TERM HUP
    if [ -n "$name" ]; then
        tell_start 'To go on with this step' "$name"
        after=${step_names#*"$newline$name$newline"}
        after=${after%%"$newline"*}
        [ -z "$changing" ] || [ -z "$after" ] ||
            tell_start 'Once it is done all the same, with the next one' "$after"
    fi
    if [ -n "$back" ]; then
        printf 'To go back from here, the last step first:\n%s' "$back" >&2
    fi
    exit "$1"
}

# tell_start WORDS NAME
tell_start() {
    replace "$2" "'" "'\\''"
    printf "%s: START='%s' sh %s\n" "$1" "$text" "$0" >&2
}

interrupted() {
    stop 130 "$name: interrupted" 'see if it was done all the same, before it is done again'
}

# begin NAME WHY [UNDO]: tells what comes; false before the step named by START.
begin() {
    name=$1
    number=$((number + 1))
    [ -z "${3-}" ] || back="  $1: $3$newline$back"
    if [ -n "$start" ] && [ "$start" != "$1" ]; then
        return 1
    fi
    start='' changing=''
    say "[$number/$steps] $1: $2"
}

# person WHAT: something that only a person can do; goes on once it is confirmed.
person() {
    case " $confirmed " in
    *" $name "*)
        say '  confirmed'
        return 0
        ;;
    esac
    printf '%s\n' "$1" >&2
    reply=''
    if [ -t 0 ]; then
        printf 'Done? [y/N]: ' >&2
        read -r reply
    fi
    case $reply in
    [yY] | [yY][eE][sS]) ;;
    *) stop 11 "$name: not confirmed" "do it; CONFIRMED='$name' says so where nobody can be asked" ;;
    esac
}

# has FILE
has() {
    [ -f "$1" ] && [ -r "$1" ] ||
        stop 5 "$1: cannot be read" 'check the path, and whether its disk is mounted'
}

# has_program FILE
has_program() {
    [ -f "$1" ] && [ -x "$1" ] ||
        stop 11 "$1: is no program yet" 'put it there, and make it executable'
}

# has_not FILE
has_not() {
    [ ! -e "$1" ] || stop 11 "$1: is still there" 'delete it'
}

# mentions FILE TEXT: whether a line of it has the text in it.
mentions() {
    has "$1"
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        *"$2"*) return 0 ;;
        esac
    done <"$1"
    return 1
}

# has_programs NAME…
has_programs() {
    for program; do
        command -v "$program" >/dev/null ||
            stop 10 "$program: not found on PATH" 'install it, or put its folder on PATH'
    done
}

# replace TEXT FROM TO: sets text.
replace() {
    text='' rest=$1
    while :; do
        case $rest in
        *"$2"*) ;;
        *) break ;;
        esac
        text=$text${rest%%"$2"*}$3
        rest=${rest#*"$2"}
    done
    text=$text$rest
}
