#!/bin/sh
# Deploy harness at dc-north
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# Assumed, and asked where it can be:
#   - harness 80307 waits in the admin console to be deployed.

# … mirror/operation/shell/*.sh …

steps=5
step_names='
read-applications
read-harness
deploy-harness-80307
deployed-harness-80307
ready-harness-80307
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
'' | read-applications | read-harness | deploy-harness-80307 | deployed-harness-80307 | ready-harness-80307) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
check_secrets
clean
has_programs kubectl sleep

if begin read-applications \
    'Ask the console how it spells harness.'; then
    it() {
        kubectl kots get apps \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    ask it
fi

if begin read-harness \
    'Ask which versions of harness the console has.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    ask it
fi

if begin deploy-harness-80307 \
    'Have harness 80307 deployed: it is pending.' \
    'in the admin console, Version history, Rollback where the vendor allows it'; then
    person 'Open a way to the admin console in another terminal, and leave it open:

  kubectl kots admin-console --port=8800 --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness

Log in at http://localhost:8800, or where that command says.

Choose harness.

Version history: Deploy beside 80307, once there is a backup of what runs. To leave it as it is, do not confirm this step.'
fi

if begin deployed-harness-80307 \
    'Ask the console until harness 80307 is deployed.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 1800 'harness 80307 is deployed' 'preflight checks may hold it back: look at it in the admin console; ask again with: kubectl kots get versions harness --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_deployed 80307
fi

if begin ready-harness-80307 \
    'Ask the console until everything of harness is ready.'; then
    it() {
        kubectl kots get apps \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 1800 'harness is ready' 'look at the pods of the namespace; ask again with: kubectl kots get apps --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_ready harness
fi

say 'Done: deploy harness at dc-north.'
