# What a shell sees for sure in an answer, and what of it is shown.
#
# A test sets seen, and tells whether it is as it has to be; 2 says that there is nothing to tell.

# minor VERSION: the major one in thousands, and the minor one; 0 where it is no version.
minor() {
    text=${1#v}.0
    rest=${text#*.} text=${text%%.*}
    rest=${rest%%[!0-9]*}
    case $text in
    '' | *[!0-9]*) printf 0 ;;
    *) printf '%s' "$((text * 1000 + ${rest:-0}))" ;;
    esac
}

plugin_is() {
    seen=$(plugin)
    [ "$seen" = "$1" ]
}

kubectl_since() {
    seen=$(value_at clientVersion gitVersion)
    [ "$(minor "$seen")" -ge "$(minor "$1")" ]
}

# kubectl_near: within one minor version of the cluster.
kubectl_near() {
    seen=$(value_at clientVersion gitVersion)
    text=$(value_at serverVersion gitVersion)
    [ -n "$text" ] || return 2
    apart=$(($(minor "$seen") - $(minor "$text")))
    seen="$seen, and the cluster is $text"
    [ "${apart#-}" -le 1 ]
}

# cluster_within OLDEST NEWEST
cluster_within() {
    seen=$(value_at serverVersion gitVersion)
    [ -n "$seen" ] || return 2
    found=$(minor "$seen")
    [ "$found" -ge "$(minor "$1")" ] && [ "$found" -le "$(minor "$2")" ]
}

says_yes() {
    seen=$word
    [ "$word" = yes ]
}

# may_do_everything: the same, kept for what is asked only then.
may_do_everything() {
    everything=$word
    says_yes
}

lacks_rights() {
    [ "$everything" = no ]
}

# is_active NAMESPACE: what is not there yet may perhaps be created.
is_active() {
    seen=$(value_at status phase)
    if [ -z "$seen" ]; then
        say "  $1 is not there"
        lacking=yes
        return 2
    fi
    [ "$seen" = Active ]
}

lacks_namespace() {
    [ -n "$lacking" ]
}

# has_class NAME: of the StorageClasses.
has_class() {
    seen=$(value_at metadata name)
    case $newline$seen$newline in
    *"$newline$1$newline"*) seen=$1 ;;
    *) return 1 ;;
    esac
}

# has_default_class [NAME…]: one that is the cluster's default, or has one of these names.
has_default_class() {
    for text; do
        if has_class "$text"; then
            return 0
        fi
    done
    for text in '' beta.; do
        case $newline$(value_at metadata annotations "storageclass.${text}kubernetes.io/is-default-class") in
        *"${newline}true"*)
            seen='one is the default'
            return 0
            ;;
        esac
    done
    return 1
}

# port_is_free PORT NAMESPACE…: no service has it but those of these namespaces.
port_is_free() {
    port=$1
    shift
    seen=$(printf '%s\n' "$flat" | while IFS= read -r pair; do
        case $pair in
        *"${tab}nodePort$tab$port") ;;
        *) continue ;;
        esac
        rest=${pair#"${tab}items$tab"}
        place="${tab}items$tab${rest%%"$tab"*}${tab}metadata$tab"
        owner=$(value_of "${place}namespace")
        for text; do
            [ "$text" != "$owner" ] || continue 2
        done
        printf '%s is taken by service %s in namespace %s' "$port" "$(value_of "${place}name")" "$owner"
        break
    done)
    [ -z "$seen" ]
}

# is_readable FILE [APPLICATION]: which an application that is there does not need any more.
is_readable() {
    has_application "${2-}" && return 2
    [ -f "$1" ] && [ -r "$1" ]
}

# is_set VALUE [APPLICATION]: the same of a secret.
is_set() {
    has_application "${2-}" && return 2
    [ -n "$1" ]
}

# has_login SECRET HOST USER PASSWORD: of the pull secrets that are there, if that is at hand.
has_login() {
    [ -n "$3" ] && [ -n "$4" ] || return 2
    seen=$(pulls_as "$@")
    [ -z "$seen" ]
}

ended_well() {
    [ "$code" = 0 ]
}

has_console() {
    case $consoles in
    *" $1 "*) ;;
    *) return 1 ;;
    esac
}

has_application() {
    case $applications in
    *" $1 "*) ;;
    *) return 1 ;;
    esac
}

# lacks_application SLUG…: whether one of them is known not to be there.
lacks_application() {
    [ -z "$untold" ] || return 1
    for text; do
        has_application "$text" || return 0
    done
    return 1
}

# needs_oc SLUG…: whether one of them is still to be installed on an OpenShift.
needs_oc() {
    [ -n "$openshift" ] && lacks_application "$@"
}

show_lines() {
    show "$answer"
}

show_names() {
    value_at metadata name | while IFS= read -r text; do
        say "  $text"
    done
}

# show_nodes: what each has for pods, and what may keep them away.
show_nodes() {
    place='' kind=''
    printf '%s\n' "$flat" | while IFS= read -r pair; do
        text=${pair##*"$tab"}
        case $pair in
        *"${tab}metadata${tab}name$tab$text") say "  $text" ;;
        *"${tab}allocatable${tab}cpu$tab$text") say "    CPU: $text" ;;
        *"${tab}allocatable${tab}memory$tab$text") say "    memory: $text" ;;
        *"${tab}spec${tab}unschedulable$tab$text") say "    cordoned: $text" ;;
        *"${tab}taints$tab"*"${tab}key$tab$text") say "    taint: $text" ;;
        *"${tab}conditions$tab"*) note_condition ;;
        esac
    done
}

# note_condition: its fields come in any order.
note_condition() {
    if [ "${pair%"$tab"*"$tab$text"}" != "$place" ]; then
        place=${pair%"$tab"*"$tab$text"} kind='' state=''
    fi
    case $pair in
    *"${tab}status$tab$text") state=$text ;;
    *"${tab}type$tab$text") kind=$text ;;
    esac
    if [ "$kind" = Ready ] && [ -n "$state" ]; then
        say "    ready: $state"
        kind=''
    fi
}

# show_console NAMESPACE
show_console() {
    version=$(console)
    if [ -z "$version" ]; then
        say '  no admin console is there'
        untold=''
        return
    fi
    untold=yes
    consoles="$consoles$1 "
    text=$(registry '')
    say "  the admin console is $version${text:+, and pulls from $text}"
}

show_applications() {
    untold=''
    known=$(value_at slug)
    rest=$known$newline
    while [ -n "${rest%"$newline"}" ]; do
        slug=${rest%%"$newline"*}
        rest=${rest#*"$newline"}
        applications="$applications$slug "
        text=$(of_each slug "$slug" versionlabel)
        say "  $slug: ${text:-nothing deployed}, $(of_each slug "$slug" state)"
    done
}

# show_versions: the newest first, to the one that is deployed.
show_versions() {
    number_of=0
    while :; do
        place=$tab$number_of$tab
        state=$(value_of "${place}status")
        [ -n "$state" ] || break
        say "  $(value_of "${place}versionLabel"): $state"
        [ "$state" != deployed ] || break
        number_of=$((number_of + 1))
    done
}

# show_openshift GROUP: which every OpenShift has.
show_openshift() {
    [ -z "$(of_each name "$1" name)" ] || openshift=yes
    say "  OpenShift: ${openshift:-no}"
}
