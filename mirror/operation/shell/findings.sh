# What is there against what has to be there: every finding is told, and nothing stops at one.

passed=0 warned=0 failed=0 failing='' open='' silent='' word='' everything=''
lacking='' consoles=' ' applications=' ' untold=yes openshift=''

# finding VERDICT WORDS [ADVICE]
finding() {
    case $1 in
    pass) passed=$((passed + 1)) ;;
    warn) warned=$((warned + 1)) ;;
    *)
        failed=$((failed + 1))
        case " $failing " in
        *" $name "*) ;;
        *) failing=${failing:+$failing }$name ;;
        esac
        ;;
    esac
    show "$1: $2"
    [ "$1" = pass ] || [ -z "${3-}" ] || say "    -> $3"
}

# only WORDS TEST…: whether a question is asked at all.
only() {
    what=$1
    shift
    [ -z "$silent" ] || return 1
    "$@" && return 0
    say "  not asked: needed only where $what"
    return 1
}

# look FORM COMMAND: asks; false, with a finding, where there is no answer.
look() {
    flat='' word=''
    if [ -n "$silent" ]; then
        finding fail "not asked: $silent"
        return 1
    fi
    answer=$("$2" </dev/null)
    code=$?
    case $1 in
    word) look_for_word ;;
    versions) look_for_versions ;;
    maybe | secret) [ "$code" = 0 ] && [ -z "$answer" ] || look_for_json ;;
    json) look_for_json ;;
    list) look_for_json && look_for_list ;;
    any) ;;
    *) [ "$code" = 0 ] || no_answer ;;
    esac
}

no_answer() {
    finding fail "no answer: ended with exit code $code" "$otherwise"
    return 1
}

unfit() {
    finding fail 'gave an answer that cannot be read' "$otherwise"
    return 1
}

look_for_list() {
    is_list || unfit
}

look_for_json() {
    if [ "$code" != 0 ]; then
        no_answer
        return 1
    fi
    flat=$(printf '%s\n' "$answer" | read_json) || unfit
}

# look_for_word: no, too, may come with an exit code.
look_for_word() {
    word=${answer##*"$newline"}
    word=${word%% *}
    case $code$word in
    *no | 0yes) ;;
    *) no_answer ;;
    esac
}

# look_for_versions: kubectl tells its own also where no cluster answers.
look_for_versions() {
    flat=$(printf '%s\n' "$answer" | read_json) || flat=''
    [ "$code" != 0 ] || [ -n "$(value_at serverVersion gitVersion)" ] || code=none
    [ "$code" = 0 ] || {
        no_answer
        silent='the cluster told no version either'
    }
    [ -n "$flat" ]
}

# need VERDICT WORDS ADVICE [TEST…]: what has to be so; without a test, only a person can tell.
need() {
    verdict=$1 words=$2 advice=$3 seen=''
    shift 3
    if [ $# -eq 0 ]; then
        see_by_person
        return
    fi
    "$@"
    case $? in
    0) finding pass "${seen:+$seen; needed: }$words" ;;
    1) finding "$verdict" "${seen:-it is not so}; needed: $words" "$advice" ;;
    esac
}

see_by_person() {
    reply=''
    case " $confirmed " in
    *" $name "*) reply=y ;;
    *) say "  to be seen: $words" ;;
    esac
    if [ -z "$reply" ] && [ -t 0 ]; then
        printf 'Is it so? [y, n, or Enter where nobody can tell]: ' >&2
        read -r reply
    fi
    case $reply in
    [yY] | [yY][eE][sS]) finding pass "somebody saw it: $words" ;;
    [nN] | [nN][oO]) finding "$verdict" "somebody saw that it is not so; needed: $words" "$advice" ;;
    *)
        case " $open " in
        *" $name "*) ;;
        *) open=${open:+$open }$name ;;
        esac
        ;;
    esac
}

# sum_up TITLE: what came of all of it.
sum_up() {
    name=''
    say "$passed passed, warnings: $warned, failed: $failed"
    [ "$failed" = 0 ] || stop 12 "not ready: $failing" 'mend what failed, then run it again'
    [ -z "$open" ] || stop 11 "nobody has seen it yet: $open" \
        "look at what is to be seen; CONFIRMED='$open' says that it is so"
    say "Done: $1."
}
