# What runs, and what waits to be deployed.

# tell NAMESPACE CONSOLE APPLICATIONS VERSIONS: the last is given a slug.
tell() {
    ask "$2"
    understand maybe
    version=$(console)
    if [ -z "$version" ]; then
        say "namespace $1: no admin console"
        return
    fi
    text=$(registry '')
    say "namespace $1: admin console $version${text:+, pulls from $text}"
    ask "$3"
    understand
    is_list || unreadable
    known=$flat slugs=$(value_at slug)$newline
    while [ -n "${slugs%"$newline"}" ]; do
        slug=${slugs%%"$newline"*}
        slugs=${slugs#*"$newline"}
        flat=$known
        text=$(of_each slug "$slug" versionlabel)
        say "  $slug: ${text:-nothing deployed}, $(of_each slug "$slug" state)"
        answer=$("$4" "$slug" </dev/null) ||
            stop 10 "$name: $slug: ended with exit code $?" "$otherwise"
        understand
        is_list || unreadable
        tell_waiting
    done
}

# tell_waiting: versions that are newer than the deployed one, the newest first.
tell_waiting() {
    newer=0
    while :; do
        state=$(value_of "$tab$newer${tab}status")
        case $state in
        '' | deployed | superseded) return ;;
        esac
        say "    $(value_of "$tab$newer${tab}versionLabel") waits: $state"
        newer=$((newer + 1))
    done
}
