# Questions to the plugin and the cluster, and what has to be answered.

answer='' found='' hopeless='' kind=''

# ask COMMAND: sets answer.
ask() {
    answer=$("$1" </dev/null) ||
        stop 10 "$name: ended with exit code $?" "$otherwise"
}

# understand [maybe]: sets flat to what is in answer; with maybe, there may be none.
understand() {
    flat=''
    if [ -n "$answer" ]; then
        flat=$(printf '%s\n' "$answer" | read_json) || unreadable
    elif [ "${1-}" != maybe ]; then
        unreadable
    fi
}

unreadable() {
    stop 10 "$name: gave an answer that cannot be read" "$otherwise"
}

# expect WORDS FOUND WANTED
expect() {
    [ "$2" = "$3" ] || stop 12 "expected: $1; found: ${2:-nothing}" "$plan_again"
    say "  $1"
}

# plugin: its version.
plugin() {
    text=$(value_at version)
    printf 'v%s' "${text#v}"
}

# console: the version of the admin console.
console() {
    text=$(of_each name kotsadm image)
    printf '%s' "${text##*:}"
}

# registry DEFAULT: the one that the admin console knows.
registry() {
    text=$(value_at data kotsadm-registry)
    printf '%s' "${text:-$1}"
}

# pulls_as SECRET HOST USER PASSWORD: what is wrong with the pull secrets; SECRET has to be there.
pulls_as() {
    [ -n "$(of_each name "$1" name)" ] || printf '(%s: not there)' "$1"
    printf '%s\n' "$flat" | while IFS= read -r pair; do
        text=${pair##*"$tab"}
        case $pair in
        *"data$tab.dockerconfigjson$tab$text") ;;
        *) continue ;;
        esac
        place=${pair%"data$tab.dockerconfigjson$tab$text"}
        secret=$(value_of "${place}metadata${tab}name")
        text=$(flat=$(decode "$text" | read_json) && value_at auths "$2" auth)
        [ "$(decode "$text")" = "$3:$4" ] || printf '(%s: another user or password)' "$secret"
    done
}

# status VERSION: of a release; deployed if it is so at least once.
status() {
    text=$(of_each versionLabel "$1" status)
    case $newline$text$newline in
    *"${newline}deployed$newline"*) printf deployed ;;
    *) printf '%s' "${text%%"$newline"*}" ;;
    esac
}

# is_deployed VERSION
is_deployed() {
    found=$(status "$1")
    hopeless=$(give_up "$found")
    [ "$found" = deployed ]
}

# console_is VERSION
console_is() {
    version=$(console)
    found="the admin console is ${version:-none}"
    [ "$version" = "$1" ]
}

# is_newest: the first version is the deployed one.
is_newest() {
    found=$(value_of "${tab}0${tab}status")
    hopeless=$(give_up "$found")
    [ "$found" = deployed ]
}

# is_scaled REPLICAS [WORKLOAD]: of one workload, or of each in a list.
#
# With 0, none of its pods in the list is left either: the ending ones are counted nowhere else.
is_scaled() {
    found=$(printf '%s\n' "$flat" | {
        at=none kind='' phase='' counts='' left=$newline
        while IFS= read -r pair; do
            note_item
        done
        end_item
        printf '%s' "$counts" | tell_counts "$@"
    }) && [ -z "$found" ]
}

# note_item: keeps what a pair of flat says of its workload or pod.
note_item() {
    case $pair in
    "${tab}items$tab"*)
        rest=${pair#"${tab}items$tab"}
        item=${rest%%"$tab"*}
        ;;
    *) rest=$pair item='' ;;
    esac
    if [ "$item" != "$at" ]; then
        end_item
        at=$item kind='' itself='' wanted=1 pods=0 ready=0 phase='' template='' owner='' owns=''
    fi
    value=${pair##*"$tab"}
    case ${rest#"$item$tab"} in
    "kind$tab$value") kind=$value ;;
    "metadata${tab}name$tab$value") itself=$value ;;
    "metadata${tab}labels${tab}pod-template-hash$tab$value") template=$value ;;
    "metadata${tab}ownerReferences$tab"*"${tab}kind$tab$value") owns=$value ;;
    "metadata${tab}ownerReferences$tab"*"${tab}name$tab$value") owner=$value ;;
    "spec${tab}replicas$tab$value") wanted=$value ;;
    "status${tab}replicas$tab$value") pods=$value ;;
    "status${tab}readyReplicas$tab$value") ready=$value ;;
    "status${tab}phase$tab$value") phase=$value ;;
    esac
}

# end_item: a workload goes to counts; the workload of a pod that is not over, to left.
end_item() {
    case $kind$phase in
    PodSucceeded | PodFailed) ;;
    Pod*)
        case $owns in
        ReplicaSet) left=${left}deployment/${owner%-"$template"}$newline ;;
        StatefulSet) left=${left}statefulset/$owner$newline ;;
        esac
        ;;
    Deployment*) counts="${counts}deployment/$itself $wanted $pods $ready$newline" ;;
    StatefulSet*) counts="${counts}statefulset/$itself $wanted $pods $ready$newline" ;;
    esac
}

# tell_counts REPLICAS [WORKLOAD]: of counts on stdin, those that have another number.
tell_counts() {
    between=''
    while read -r workload wanted pods ready; do
        [ "${2:-$workload}" = "$workload" ] || continue
        if [ "$1" = 0 ]; then
            count_left "$workload"
            [ "$owned" -le "$pods" ] || pods=$owned
        else
            pods=$ready
        fi
        if [ "$pods" != "$1" ] || [ "$wanted" != "$1" ]; then
            printf '%s%s: %s of %s pods' "$between" "$workload" "$pods" "$1"
            between=', '
        fi
    done
}

# count_left WORKLOAD: sets owned to its pods in left.
count_left() {
    owned=0 rest=$left
    while :; do
        case $rest in
        *"$newline$1$newline"*) ;;
        *) break ;;
        esac
        owned=$((owned + 1))
        rest=$newline${rest#*"$newline$1$newline"}
    done
}

# is_ready SLUG
is_ready() {
    found=$(of_each slug "$1" state)
    [ "$found" = ready ]
}

# has_licence PATH FILE: the two are of one holder, and of the same state; nothing of them is told.
has_licence() {
    { set +x; } 2>/dev/null
    has "$1"
    has "$2"
    found='another licence' same=''
    for key in licenseID licenseSequence signature; do
        in_spec "$1" "$key"
        there=$value
        in_spec "$2" "$key"
        [ -n "$there$value" ] || continue
        [ "$there" = "$value" ] || return 1
        same="$same $key"
    done
    case $same in
    ' licenseID '*) found='' ;;
    *) return 1 ;;
    esac
}

# in_spec FILE KEY: sets value to what a licence has for a key of its spec, on one line.
in_spec() {
    value=''
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        "  $2: "*) value=${line#"  $2: "} ;;
        esac
    done <"$1"
    value=${value%"$cr"}
    case $value in
    \"*\") value=${value#?} value=${value%?} ;;
    \'*\') value=${value#?} value=${value%?} ;;
    esac
}

# hear COMMAND GOAL: sets flat; false, with the reason in found, where it has no answer.
hear() {
    answer=$("$1" </dev/null) || {
        found="ended with exit code $?"
        return 1
    }
    flat=''
    [ "$2" != has_licence ] || return 0
    [ "$2" != console_is ] || [ -n "$answer" ] || return 0
    flat=$(printf '%s\n' "$answer" | read_json) || {
        found='gave an answer that cannot be read'
        return 1
    }
}

# await SECONDS WORDS ADVICE COMMAND GOAL…: asks until it is so.
#
# That a question fails says little while a console or a node is starting anew.
await() {
    seconds=$1 words=$2 advice=$3 question=$4
    shift 4
    waited='' said=''
    while :; do
        hopeless=''
        if ! hear "$question" "$1"; then
            [ "${waited:-0}" -lt "$seconds" ] || stop 10 "$name: $found" "$otherwise"
            found="no answer ($found)"
        elif "$@"; then
            say "  $words"
            return 0
        fi
        found=${found:-not there}
        [ -z "$hopeless" ] || stop 10 "$name: $found; expected: $words" "$hopeless"
        after=${waited:+ after $waited s}
        [ "${waited:-0}" -lt "$seconds" ] ||
            stop 10 "$name: $found$after; expected: $words" "$advice"
        [ "$found" = "$said" ] || say "  $found; asking again every $pause s"
        said=$found
        sleep "$pause"
        waited=$((${waited:-0} + pause))
    done
}
