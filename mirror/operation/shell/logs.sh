# Logs, one file each: whole or not at all, for their owner, with what is secret hidden.

saved=0 lost=0 unhidden=''

# note_if_missing SOURCE VALUE: what is at hand is hidden already.
note_if_missing() {
    case $2 in
    '' | *[[:cntrl:]]*) unhidden="$unhidden$newline  $1" ;;
    esac
}

# hide_licence FILE: its ID and its signature.
hide_licence() {
    any=''
    if [ -f "$1" ] && [ -r "$1" ]; then
        while IFS= read -r line || [ -n "$line" ]; do
            case $line in
            *licenseID:* | *signature:*) hide_value "${line#*:}" ;;
            esac
        done <"$1"
    fi
    [ -n "$any" ] || unhidden="$unhidden$newline  ID and signature in $1"
}

# hide_value TEXT: a value of YAML that is one line.
hide_value() {
    value=${1#"${1%%[![:space:]]*}"}
    value=${value%"${value##*[![:space:]]}"}
    case $value in
    \"*\" | \'*\') value=${value#?} value=${value%?} ;;
    esac
    case $value in
    '' | '|'* | '>'*) ;;
    *)
        hide "$value"
        any=yes
        ;;
    esac
}

# gather NAMESPACE FOLDER PODS LOG: the last is given pod and container.
gather() {
    [ -d "$2/" ] || stop 9 "$2: the folder is not there" 'make it, for its owner only: mkdir -m 700'
    ask "$3"
    understand
    case $(value_of "${tab}kind") in
    *List) ;;
    *) unreadable ;;
    esac
    logs=$(printf '%s\n' "$flat" | list_logs)
    while [ -n "$logs" ]; do
        line=${logs%%"$newline"*}
        case $logs in
        *"$newline"*) logs=${logs#*"$newline"} ;;
        *) logs='' ;;
        esac
        case $line in
        '-'*) say "  note:${line#-}; it has no log." ;;
        *) write_log "$1" "$2" "$4" "$line" ;;
        esac
    done
}

# write_log NAMESPACE FOLDER LOG 'POD CONTAINER [--previous]': written once it is there, and whole.
write_log() {
    pod=${4%% *} rest=${4#* }
    container=${rest%% *} before=${rest#"${rest%% *}"}
    before=${before# }
    case $pod$container in
    *[!A-Za-z0-9._-]* | .*)
        say "  $pod/$container: no name for a file"
        lost=$((lost + 1))
        return
        ;;
    esac
    file=$2/$1_${pod}_$container${before:+.previous}.log
    say "  $pod/$container${before:+, the run before}"
    if answer=$("$3" "pod/$pod" "--container=$container" ${before:+"$before"} </dev/null); then
        mask_answer
        if ! printf '%s' "$text${text:+$newline}" >"$file"; then
            : >"$file"
            stop 9 "$file: cannot be written" 'see who may write there, and how much room there is'
        fi
        saved=$((saved + 1))
    else
        say "    ended with exit code $?"
        lost=$((lost + 1))
    fi
}

# mask_answer: sets text to it; line by line where need be, since a long text takes a shell minutes.
mask_answer() {
    text=$answer secrets=$hidden any=''
    while [ -n "$secrets" ]; do
        case $text in
        *"${secrets%%"$newline"*}"*) any=yes ;;
        esac
        secrets=${secrets#*"$newline"}
    done
    [ -z "$any" ] || text=$(printf '%s\n' "$answer" | while IFS= read -r line; do
        mask "$line"
        printf '%s\n' "$text"
    done)
}

# list_logs: pod and container of each log of the pods on stdin; what has none begins with -.
list_logs() {
    item=none pod=''
    while IFS= read -r pair; do
        value=${pair##*"$tab"}
        rest=${pair#"${tab}items$tab"}
        [ "$rest" != "$pair" ] || continue
        if [ "${rest%%"$tab"*}" != "$item" ]; then
            list_logs_of_pod
            item=${rest%%"$tab"*} pod='' first='' second='' third='' state=''
            started=' ' crashed=' ' reasons=' ' container=''
        fi
        rest=${rest#*"$tab"}
        case ${rest%"$tab$value"} in
        "metadata${tab}name") pod=$value ;;
        "spec${tab}initContainers$tab"*"${tab}name") add_container first ;;
        "spec${tab}containers$tab"*"${tab}name") add_container second ;;
        "spec${tab}ephemeralContainers$tab"*"${tab}name") add_container third ;;
        status"$tab"*ontainerStatuses"$tab"*) note_status ;;
        esac
    done
    list_logs_of_pod
}

# add_container LIST: not a name inside of it, such as that of a variable.
add_container() {
    place=${rest%"${tab}name$tab$value"}
    place=${place#spec"$tab"}
    case ${place#*"$tab"} in
    *"$tab"*) return ;;
    esac
    case $1 in
    first) first="$first$value " ;;
    second) second="$second$value " ;;
    third) third="$third$value " ;;
    esac
}

# note_status: fields of a status come in any order, its name among them.
note_status() {
    place=${rest#status"$tab"}
    kind=${place%%"$tab"*}
    place=${place#*"$tab"}
    place=$kind.${place%%"$tab"*}
    case ${rest#status"$tab$kind$tab${place##*.}$tab"} in
    "name$tab"*) container="$container$place=$value " ;;
    "state${tab}running$tab"* | "state${tab}terminated$tab"*) started="$started$place " ;;
    "lastState${tab}terminated$tab"*)
        started="$started$place "
        crashed="$crashed$place "
        ;;
    "state${tab}waiting${tab}reason$tab"*) reasons="$reasons$place=$value " ;;
    esac
}

list_logs_of_pod() {
    [ -n "$pod" ] || return 0
    some=$first$second$third
    while [ -n "$some" ]; do
        one=${some%% *}
        some=${some#* }
        list_logs_of_container "$one"
    done
}

list_logs_of_container() {
    place=''
    case " $container" in
    *"=$1 "*)
        place=" $container"
        place=${place%%"=$1 "*}
        place=${place##* }
        ;;
    esac
    case $started in
    *" ${place:-none} "*) printf '%s %s\n' "$pod" "$1" ;;
    *)
        reason='not started'
        case $reasons in
        *" ${place:-none}="*)
            reason=${reasons#*" ${place:-none}="}
            reason=${reason%% *}
            ;;
        esac
        printf -- '- %s/%s: waits (%s)\n' "$pod" "$1" "$reason"
        ;;
    esac
    case $crashed in
    *" ${place:-none} "*) printf '%s %s --previous\n' "$pod" "$1" ;;
    esac
}

# sum_up_logs TITLE
sum_up_logs() {
    name=''
    say 'What is secret is hidden only as it is and as JSON has it: look before you give logs away.'
    [ -z "$unhidden" ] || say "Not at hand, and so not hidden:$unhidden"
    [ "$lost" = 0 ] || stop 11 "$1: $lost of $((lost + saved)) logs could not be had; the others are written" \
        'a pod may be gone, or another node may not answer: run it again'
    say "Done: $1: $saved logs."
}
