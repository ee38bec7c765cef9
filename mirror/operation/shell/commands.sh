# Commands that change something: shown while they run, and believed by what they say.

# follow JUDGE COMMAND: by its exit code (exit), and by what it says too (install, answer).
follow() {
    changing=yes
    {
        "$2" </dev/null 2>&1
        printf '\n%s%s\n' "$mark" "$?"
    } | judge "$1" || leave 10
}
mark='=== exit code '

judge() {
    code='' result='' fault='' hint=''
    while IFS= read -r line || [ -n "$line" ]; do
        plain "$line"
        line=$text
        case $line in
        '') continue ;;
        "$mark"*)
            code=${line#"$mark"}
            continue
            ;;
        esac
        show "$line"
        hint=${hint:-$(advise "$line")}
        fault=${fault:-$(undone "$line")}
        line=${line#"${line%%[![:space:]]*}"}
        case $line in
        '{'*'"success"'*) result=$line ;;
        esac
    done
    hint=${hint:-$otherwise}
    if [ "$code" != 0 ]; then
        complain "$name: ended with exit code $code" "$hint"
        return 1
    fi
    case $1 in
    install) judge_install ;;
    answer) judge_answer ;;
    esac
}

judge_install() {
    [ -n "$fault" ] || return 0
    complain "$name: ended well, but $fault" "$hint"
    return 1
}

judge_answer() {
    if [ -z "$result" ]; then
        complain "$name: ended with exit code 0 but without a result" "$hint"
        return 1
    fi
    flat=$(printf '%s\n' "$result" | read_json) || flat=''
    fault=$(value_at error)
    if [ "$(value_at success)" != true ] || [ "${fault:-null}" != null ]; then
        [ "${fault:-null}" != null ] || fault=$result
        mask "$fault"
        complain "$name: ended with exit code 0 but failed: $text" "$look_at_log"
        return 1
    fi
}

# save COMMAND FILE: keeps its output, for its owner only.
save() {
    [ -d "${2%/*}/" ] || stop 9 "$2: its folder is not there" 'make it, for its owner only: mkdir -m 700'
    ask "$1"
    printf '%s\n' "$answer" >"$2" || stop 9 "$2: cannot be written" 'see who may write there'
}

# save_once COMMAND FILE: the same, unless it is there: then it is older, and worth more.
save_once() {
    if [ -e "$2" ]; then
        say "  $2 is there, from a downtime that goes on, and stays"
        say "  if none does: delete it, and begin again with START='$name'"
        return 0
    fi
    save "$1" "$2"
}

# plain LINE: sets text, without colours and movements of the cursor.
plain() {
    text='' rest=${1%"$cr"}
    while :; do
        case $rest in
        *"${esc}["*) ;;
        *) break ;;
        esac
        text=$text${rest%%"${esc}["*}
        rest=${rest#*"${esc}["}
        rest=${rest#"${rest%%[A-Za-z]*}"}
        rest=${rest#?}
    done
    text=$text$rest
}
