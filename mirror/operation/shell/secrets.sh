# Secrets: read before the first step, given to programs by environment alone, and never shown.

faults='' value='' hidden=''

# read_secret FILE: sets value to its one line.
read_secret() {
    value='' more=''
    if [ -f "$1" ] && [ -r "$1" ]; then
        {
            IFS= read -r value
            if IFS= read -r more || [ -n "$more" ]; then
                value=$value$newline
            fi
        } <"$1"
    fi
    value=${value%"$cr"}
}

# check_secret SOURCE VALUE: notes what is wrong with it, and hides it from now on.
check_secret() {
    case $2 in
    '') faults="$faults$newline  $1: nothing is there" ;;
    *[[:cntrl:]]*) faults="$faults$newline  $1: more than one line, or something unprintable" ;;
    *) hide "$2" ;;
    esac
}

# hide VALUE: from now on, as it is and as JSON has it.
hide() {
    replace "$1" \\ \\\\
    replace "$text" \" \\\"
    hidden=$hidden$text$newline$1$newline
}

# hide_if_any VALUE: of a secret that is not needed.
hide_if_any() {
    case $1 in
    '' | *[[:cntrl:]]*) ;;
    *) hide "$1" ;;
    esac
}

# check_secrets: stops if one is not at hand.
check_secrets() {
    [ -z "$faults" ] || stop 3 "secrets of the site are not at hand:$faults" \
        'set the variables and files that the site file names'
}

# show LINE: without any secret.
show() {
    mask "$1"
    say "  $text"
}

# mask TEXT: sets text to it without any secret, also as JSON spells them.
mask() {
    text=$1 secrets=$hidden
    while [ -n "$secrets" ]; do
        secret=${secrets%%"$newline"*}
        secrets=${secrets#*"$newline"}
        replace "$text" "$secret" '***'
    done
}

# clean: KOTS reads each flag from the environment too; only what a step gives may count.
clean() {
    list=$(export -p)
    while [ -n "$list" ]; do
        line=${list%%"$newline"*}
        list=${list#"$line"}
        list=${list#"$newline"}
        line=${line#export }
        line=${line#declare -x }
        variable=${line%%=*}
        case $variable in
        *[!A-Za-z0-9_]*) ;;
        KOTS_* | REGISTRY_*) unset "$variable" ;;
        esac
    done
    any=${http_proxy-}${https_proxy-}${all_proxy-}${HTTP_PROXY-}${HTTPS_PROXY-}${ALL_PROXY-}
    if [ -n "$any" ]; then # KOTS asks a registry of its own, on localhost
        export NO_PROXY="${NO_PROXY:+$NO_PROXY,}localhost,127.0.0.1"
        export no_proxy="${no_proxy:+$no_proxy,}localhost,127.0.0.1"
    fi
}
