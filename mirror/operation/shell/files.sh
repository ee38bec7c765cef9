# Files of which the content is known.

# write FILE MANNER: what is on stdin, whole or not at all; once: only where no such file is.
write() {
    if [ "$2" = once ] && [ -e "$1" ]; then
        stop 8 "$1: is there already" 'move it out of the way'
    fi
    whole=yes
    while IFS= read -r line; do
        printf '%s\n' "$line" || whole=''
    done >"$1.part" || whole=''
    if [ -z "$whole" ] || ! mv -f -- "$1.part" "$1"; then
        stop 9 "$1: cannot be written" 'see who may write there, and what room is left'
    fi
}

# has_names FILE TIMES NAME…: whether so many lines of it have each name in them, or more.
has_names() {
    file=$1
    shift
    [ -f "$file" ] || return 1
    while [ "$#" -gt 0 ]; do
        times=0
        while IFS= read -r line || [ -n "$line" ]; do
            case $line in
            *"$2"*) times=$((times + 1)) ;;
            esac
        done <"$file"
        [ "$times" -ge "$1" ] || return 1
        shift 2
    done
}
