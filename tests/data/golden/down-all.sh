#!/bin/sh
# Take harness and harness-ng down at dc-north
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# Assumed, and asked where it can be:
#   - Everything named is in namespace harness, and runs; a run looks, and leaves alone what stands
#     still already.
#   - There are Deployments and StatefulSets: where there is none, kubectl says that no objects were
#     passed to scale. A run leaves such a step out.

# … mirror/operation/shell/*.sh …

steps=12
step_names='
read-harness
note-harness
stop-harness-manager
stop-verification-svc
stop-ng-manager
stopped-harness-manager
stopped-verification-svc
stopped-ng-manager
stop-deployments-harness
stopped-deployments-harness
stop-statefulsets-harness
stopped-statefulsets-harness
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
'' | read-harness | note-harness | stop-harness-manager | stop-verification-svc | stop-ng-manager | stopped-harness-manager | stopped-verification-svc | stopped-ng-manager | stop-deployments-harness | stopped-deployments-harness | stop-statefulsets-harness | stopped-statefulsets-harness) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
check_secrets
clean
has_programs kubectl sleep

if begin read-harness \
    'Ask what runs in namespace harness, and for its pods.'; then
    it() {
        kubectl get deployments,statefulsets,pods '--selector=kots.io/kotsadm!=true' \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    ask it
fi

if begin note-harness \
    'Note how many pods everything in namespace harness has, for airgap-mirror up; what a downtime that goes on has noted stays, and this step is left out.'; then
    it() {
        kubectl get deployments,statefulsets '--selector=kots.io/kotsadm!=true' \
          --no-headers \
          --output=custom-columns=KIND:.kind,NAME:.metadata.name,PODS:.spec.replicas \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    save_once it /etc/airgap/site.harness.pods
fi

if begin stop-harness-manager \
    'Stop deployment/harness-manager: scale it to nothing.' \
    'airgap-mirror up brings it back as it was; by hand, kubectl scale, databases first, with the number of pods in this file:
    /etc/airgap/site.harness.pods'; then
    it() {
        kubectl scale deployment/harness-manager \
          --replicas=0 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin stop-verification-svc \
    'Stop deployment/verification-svc: scale it to nothing.' \
    'airgap-mirror up brings it back as it was; by hand, kubectl scale, databases first, with the number of pods in this file:
    /etc/airgap/site.harness.pods'; then
    it() {
        kubectl scale deployment/verification-svc \
          --replicas=0 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin stop-ng-manager \
    'Stop deployment/ng-manager: scale it to nothing.' \
    'airgap-mirror up brings it back as it was; by hand, kubectl scale, databases first, with the number of pods in this file:
    /etc/airgap/site.harness.pods'; then
    it() {
        kubectl scale deployment/ng-manager \
          --replicas=0 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin stopped-harness-manager \
    'Ask for deployment/harness-manager until none of its pods is left.'; then
    it() {
        kubectl get deployments,statefulsets,pods '--selector=kots.io/kotsadm!=true' \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 'no pod is left' 'look at the pods of the namespace; ask again with: kubectl get deployments,statefulsets,pods '"'"'--selector=kots.io/kotsadm!=true'"'"' --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 0 deployment/harness-manager
fi

if begin stopped-verification-svc \
    'Ask for deployment/verification-svc until none of its pods is left.'; then
    it() {
        kubectl get deployments,statefulsets,pods '--selector=kots.io/kotsadm!=true' \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 'no pod is left' 'look at the pods of the namespace; ask again with: kubectl get deployments,statefulsets,pods '"'"'--selector=kots.io/kotsadm!=true'"'"' --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 0 deployment/verification-svc
fi

if begin stopped-ng-manager \
    'Ask for deployment/ng-manager until none of its pods is left.'; then
    it() {
        kubectl get deployments,statefulsets,pods '--selector=kots.io/kotsadm!=true' \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 'no pod is left' 'look at the pods of the namespace; ask again with: kubectl get deployments,statefulsets,pods '"'"'--selector=kots.io/kotsadm!=true'"'"' --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 0 deployment/ng-manager
fi

if begin stop-deployments-harness \
    'Stop all other deployments in namespace harness but those of the admin console.' \
    'airgap-mirror up brings it back as it was; by hand, kubectl scale, databases first, with the number of pods in this file:
    /etc/airgap/site.harness.pods'; then
    it() {
        kubectl scale deployments '--selector=kots.io/kotsadm!=true' \
          --replicas=0 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin stopped-deployments-harness \
    'Ask until no pod of them is left.'; then
    it() {
        kubectl get deployments,pods '--selector=kots.io/kotsadm!=true' \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 'no pod is left' 'look at the pods of the namespace; ask again with: kubectl get deployments,pods '"'"'--selector=kots.io/kotsadm!=true'"'"' --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 0
fi

if begin stop-statefulsets-harness \
    'Stop all other statefulsets in namespace harness but those of the admin console.' \
    'airgap-mirror up brings it back as it was; by hand, kubectl scale, databases first, with the number of pods in this file:
    /etc/airgap/site.harness.pods'; then
    it() {
        kubectl scale statefulsets '--selector=kots.io/kotsadm!=true' \
          --replicas=0 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin stopped-statefulsets-harness \
    'Ask until no pod of them is left.'; then
    it() {
        kubectl get statefulsets,pods '--selector=kots.io/kotsadm!=true' \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 'no pod is left' 'look at the pods of the namespace; ask again with: kubectl get statefulsets,pods '"'"'--selector=kots.io/kotsadm!=true'"'"' --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 0
fi

say 'Done: take harness and harness-ng down at dc-north.'
