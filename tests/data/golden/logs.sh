#!/bin/sh
# Get the logs of dc-north into /etc/airgap/logs
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# A log that cannot be had does not stop the others. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# To know:
#   - A run makes one file for each, /etc/airgap/logs/NAMESPACE/POD/CONTAINER.log; a script, which
#     makes no folders, /etc/airgap/logs/NAMESPACE_POD_CONTAINER.log, and wants /etc/airgap/logs to
#     be there.

# Programs get secrets by the steps that say so, and not otherwise; nor does sh -x show them.
set +x
secret_1=${REGISTRY_PASSWORD-}
unset REGISTRY_PASSWORD
secret_2=${CONSOLE_PASSWORD-}
unset CONSOLE_PASSWORD

# … mirror/operation/shell/*.sh …

# … mirror/operation/shell/logs.sh …

steps=1
step_names='
logs-harness
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
'' | logs-harness) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
hide_if_any "$secret_1"
hide_if_any "$secret_2"
read_secret '/home/ops/console password'
secret_3=$value
hide_if_any "$secret_3"
check_secrets
clean
has_programs kubectl sleep

if begin logs-harness \
    'Get the log of each container of each pod in namespace harness, and of the run before where it was started anew.'; then
    it() {
        kubectl get pods \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    log() {
        kubectl logs "$@" \
          --timestamps \
          --since=24h \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=0
    }
    note_if_missing 'environment variable REGISTRY_PASSWORD' "$secret_1"
    note_if_missing 'environment variable CONSOLE_PASSWORD' "$secret_2"
    note_if_missing 'file /home/ops/console password' "$secret_3"
    hide_licence /etc/airgap/license.yaml
    hide_licence /etc/airgap/license-ng.yaml
    gather harness /etc/airgap/logs it log
fi

sum_up_logs 'get the logs of dc-north into /etc/airgap/logs'
