# JSON, read by the shell alone.

flat=''

# read_json: one line for each value on stdin, its keys and the value each after a tab.
#
# Strings stay as JSON spells them, and so hold no tab. Lines before the value are left out.
read_json() {
    whole='' stack='' path='' want=value
    while IFS= read -r line || [ -n "$line" ]; do
        [ -z "$whole" ] || continue # to the end, for whoever writes
        line=${line#"${line%%[![:space:]]*}"}
        while [ -n "$line" ] && read_token; do
            line=${line#"${line%%[![:space:]]*}"}
        done
    done
    [ -n "$whole" ]
}

# read_token: takes one from the front of line; false where nothing more of the line counts.
#
# stack has a letter for each object and array around it, the inmost first.
read_token() {
    case $stack$line in
    [oa]* | '{'* | '['*) ;;
    *) return 1 ;;
    esac
    case $line in
    '{'*) stack=o$stack path=$path$tab want=key ;;
    '['*) stack=a$stack path=$path${tab}0 want=value ;;
    '}'* | ']'*) stack=${stack#?} path=${path%"$tab"*} ;;
    ','*) next_item ;;
    ':'*) want=value ;;
    '"'*)
        read_string || it_was_no_json
        return
        ;;
    *)
        read_word || it_was_no_json
        return
        ;;
    esac
    line=${line#?}
    [ -n "$stack" ] || whole=yes
    [ -z "$whole" ]
}

it_was_no_json() {
    stack='' path='' want=value
    return 1
}

next_item() {
    case $stack in
    o*) want=key ;;
    *)
        path=${path%"$tab"*}$tab$((${path##*"$tab"} + 1))
        want=value
        ;;
    esac
}

# read_string: a key or a value.
read_string() {
    line=${line#?} text=''
    while :; do
        case $line in
        *\"*) ;;
        *) return 1 ;;
        esac
        part=${line%%\"*}
        line=${line#*\"}
        text=$text$part
        backslashes=${part##*[!\\]}
        [ $((${#backslashes} % 2)) -eq 1 ] || break
        text=$text\"
    done
    if [ "$want" = key ]; then
        path=${path%"$tab"*}$tab$text
    else
        printf '%s%s%s\n' "$path" "$tab" "$text"
    fi
}

# read_word: a number, true, false or null.
read_word() {
    text=${line%%[],\}[:space:]]*}
    line=${line#"$text"}
    case $text in
    true | false | null | -[0-9]* | [0-9]*) printf '%s%s%s\n' "$path" "$tab" "$text" ;;
    *) return 1 ;;
    esac
}

# is_list: an error may come with exit code 0, as something else than the list that was asked for.
is_list() {
    case $flat in
    '' | "$tab"[0-9]*) ;;
    *) return 1 ;;
    esac
}

# value_at KEY…: each value of flat that has these keys, one below the other, just above it.
value_at() {
    keys=$tab
    for key; do
        keys=$keys$key$tab
    done
    printf '%s\n' "$flat" | while IFS= read -r pair; do
        found=${pair##*"$tab"}
        case $pair in
        *"$keys$found") printf '%s\n' "$found" ;;
        esac
    done
}

# value_of PATH: the value of flat at this very place.
value_of() {
    printf '%s\n' "$flat" | while IFS= read -r pair; do
        case $pair in
        "$1$tab"*) printf '%s\n' "${pair#"$1$tab"}" ;;
        esac
    done
}

# of_each KEY VALUE OTHER: the OTHER of each object of flat whose KEY is VALUE.
of_each() {
    printf '%s\n' "$flat" | while IFS= read -r pair; do
        case $pair in
        *"$tab$1$tab$2") value_of "${pair%"$1$tab$2"}$3" ;;
        esac
    done
}
