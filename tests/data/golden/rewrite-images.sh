#!/bin/sh
# Give the images in /etc/airgap/delegate.yaml the names of the site
#
# Needs a POSIX shell, sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# To know:
#   - /etc/airgap/delegate.yaml:48: harness/ci-addon:1.16.22 is no container's image; left as it is

# … mirror/operation/shell/*.sh …

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

steps=1
step_names='
rewrite
'
pause=5
otherwise='its own words are above; run the same command again once the cause is gone'
plan_again='what is there is not what the plan was made for: make it anew'
look_at_log='the admin console'"'"'s log says more: kubectl logs deployment/kotsadm (or statefulset/kotsadm) in its namespace'

# advise LINE: what to do about it.
advise() {
    case $1 in
    *'Additional app configuration is required'*) printf '%s' 'complete configValues in the site file, or open the admin console'"'"'s Config page and deploy there' ;;
    *'not pushing airgapped app images as no registry was provided'*) printf '%s' 'give KOTS the registry: --kotsadm-registry, or KOTS_KOTSADM_REGISTRY' ;;
    *'preflight check'* | *'Preflight Checks'* | *'timeout waiting for preflights'*) printf '%s' 'look at the results above; skipPreflights: true for the application in the site file goes on in spite of all that are not strict' ;;
    *'to increase timeout'*) printf '%s' 'look at the pods of the namespace; waits in the site file sets how long to wait' ;;
    *'insufficient privileges'*) printf '%s' 'use a cluster user with cluster-admin rights, or grant KOTS'"'"'s roles beforehand' ;;
    *'unknown command "kots"'*) printf '%s' 'unpack the kots_….tar.gz below files/kubectl-kots/ of the bundle, and put the program kots in it first on PATH, under the name kubectl-kots' ;;
    *'connection to the server'* | *'Unable to connect to the server'* | *'the server has asked for the client to provide credentials'* | *'You must be logged in to the server'* | *'error loading config file'* | *'context was not found'*) printf '%s' 'try kubectl get nodes; cluster.kubeconfig and cluster.context in the site file say which cluster is meant' ;;
    esac
}

# undone LINE: what install left undone.
undone() {
    case $1 in
    *'Additional app configuration is required'*) printf '%s' 'deployed nothing: the application still waits for required configuration (pending_config)' ;;
    *'not pushing airgapped app images as no registry was provided'*) printf '%s' 'KOTS saw no registry: the cluster would pull from the vendor'"'"'s' ;;
    esac
}

# give_up STATUS: what to do where waiting is of no use.
give_up() {
    case $1 in
    failed) printf '%s' 'look at the version in the admin console, and at the pods of the namespace' ;;
    pending_config) printf '%s' 'complete configValues in the site file, or the Config page of the admin console, and deploy it there' ;;
    esac
}

trap interrupted INT TERM HUP
case $start in
'' | rewrite) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
check_secrets
clean
has_programs sleep

if begin rewrite \
    'Write /etc/airgap/delegate.yaml, with 4 images named as at the site.' \
    'write the old names there again'; then
    has_names /etc/airgap/delegate.yaml 1 r.example:5000/ns/delegate:23.11.81820 1 r.example:5000/ns/upgrader:latest 1 r.example:5000/ns/wait:1.0 1 r.example:5000/ns/delegate:latest || person 'Write /etc/airgap/delegate.yaml anew with these names in place of others, and leave all else as it is.

/etc/airgap/delegate.yaml, line 33: r.example:5000/ns/delegate:23.11.81820 instead of harness/delegate:23.11.81820

/etc/airgap/delegate.yaml, line 61: r.example:5000/ns/upgrader:latest instead of docker.io/harness/upgrader:latest

/etc/airgap/delegate.yaml, line 86: r.example:5000/ns/wait:1.0 instead of registry.k8s.io/tools/wait:1.0

/etc/airgap/delegate.yaml, line 88: r.example:5000/ns/delegate:latest instead of harness/delegate:latest

This tells whether it is so:

  echo '"'"'fa73651c8cd9e204fd586509767908655219a62179cee8d849ffdedb62b93393  /etc/airgap/delegate.yaml'"'"' | sha256sum -c'
    has_names /etc/airgap/delegate.yaml 1 r.example:5000/ns/delegate:23.11.81820 1 r.example:5000/ns/upgrader:latest 1 r.example:5000/ns/wait:1.0 1 r.example:5000/ns/delegate:latest ||
        stop 11 '/etc/airgap/delegate.yaml: does not have the new names yet' 'write them there'
fi

say 'Done: give the images in /etc/airgap/delegate.yaml the names of the site.'
