#!/bin/sh
# Bring harness and harness-ng up at dc-north
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# Assumed, and asked where it can be:
#   - Everything named is in namespace harness, and stands still.

# … mirror/operation/shell/*.sh …

steps=16
step_names='
read-harness
start-mongodb-replicaset-chart
ready-mongodb-replicaset-chart
start-redis-sentinel-harness-server
ready-redis-sentinel-harness-server
start-timescaledb-single-chart
ready-timescaledb-single-chart
start-harness-manager
start-verification-svc
start-ng-manager
ready-harness-manager
ready-verification-svc
ready-ng-manager
start-ui
ready-ui
forget-harness
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
'' | read-harness | start-mongodb-replicaset-chart | ready-mongodb-replicaset-chart | start-redis-sentinel-harness-server | ready-redis-sentinel-harness-server | start-timescaledb-single-chart | ready-timescaledb-single-chart | start-harness-manager | start-verification-svc | start-ng-manager | ready-harness-manager | ready-verification-svc | ready-ng-manager | start-ui | ready-ui | forget-harness) ;;
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

if begin start-mongodb-replicaset-chart \
    'Scale statefulset/mongodb-replicaset-chart to 3.' \
    'airgap-mirror down, with --all for everything, stops it again; by hand, kubectl scale with --replicas=0'; then
    it() {
        kubectl scale statefulset/mongodb-replicaset-chart \
          --replicas=3 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin ready-mongodb-replicaset-chart \
    'Ask for statefulset/mongodb-replicaset-chart until it has 3 ready pods.'; then
    it() {
        kubectl get statefulset/mongodb-replicaset-chart \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 '3 pods are ready' 'look at the pods of the namespace; ask again with: kubectl get statefulset/mongodb-replicaset-chart --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 3
fi

if begin start-redis-sentinel-harness-server \
    'Scale statefulset/redis-sentinel-harness-server to 3.' \
    'airgap-mirror down, with --all for everything, stops it again; by hand, kubectl scale with --replicas=0'; then
    it() {
        kubectl scale statefulset/redis-sentinel-harness-server \
          --replicas=3 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin ready-redis-sentinel-harness-server \
    'Ask for statefulset/redis-sentinel-harness-server until it has 3 ready pods.'; then
    it() {
        kubectl get statefulset/redis-sentinel-harness-server \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 '3 pods are ready' 'look at the pods of the namespace; ask again with: kubectl get statefulset/redis-sentinel-harness-server --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 3
fi

if begin start-timescaledb-single-chart \
    'Scale statefulset/timescaledb-single-chart to 2.' \
    'airgap-mirror down, with --all for everything, stops it again; by hand, kubectl scale with --replicas=0'; then
    it() {
        kubectl scale statefulset/timescaledb-single-chart \
          --replicas=2 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin ready-timescaledb-single-chart \
    'Ask for statefulset/timescaledb-single-chart until it has 2 ready pods.'; then
    it() {
        kubectl get statefulset/timescaledb-single-chart \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 '2 pods are ready' 'look at the pods of the namespace; ask again with: kubectl get statefulset/timescaledb-single-chart --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 2
fi

if begin start-harness-manager \
    'Scale deployment/harness-manager to 2.' \
    'airgap-mirror down, with --all for everything, stops it again; by hand, kubectl scale with --replicas=0'; then
    it() {
        kubectl scale deployment/harness-manager \
          --replicas=2 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin start-verification-svc \
    'Scale deployment/verification-svc to 2.' \
    'airgap-mirror down, with --all for everything, stops it again; by hand, kubectl scale with --replicas=0'; then
    it() {
        kubectl scale deployment/verification-svc \
          --replicas=2 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin start-ng-manager \
    'Scale deployment/ng-manager to 2.' \
    'airgap-mirror down, with --all for everything, stops it again; by hand, kubectl scale with --replicas=0'; then
    it() {
        kubectl scale deployment/ng-manager \
          --replicas=2 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin ready-harness-manager \
    'Ask for deployment/harness-manager until it has 2 ready pods.'; then
    it() {
        kubectl get deployment/harness-manager \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 '2 pods are ready' 'look at the pods of the namespace; ask again with: kubectl get deployment/harness-manager --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 2
fi

if begin ready-verification-svc \
    'Ask for deployment/verification-svc until it has 2 ready pods.'; then
    it() {
        kubectl get deployment/verification-svc \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 '2 pods are ready' 'look at the pods of the namespace; ask again with: kubectl get deployment/verification-svc --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 2
fi

if begin ready-ng-manager \
    'Ask for deployment/ng-manager until it has 2 ready pods.'; then
    it() {
        kubectl get deployment/ng-manager \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 '2 pods are ready' 'look at the pods of the namespace; ask again with: kubectl get deployment/ng-manager --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 2
fi

if begin start-ui \
    'Scale deployment/ui to 1.' \
    'airgap-mirror down, with --all for everything, stops it again; by hand, kubectl scale with --replicas=0'; then
    it() {
        kubectl scale deployment/ui \
          --replicas=1 \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    follow exit it
fi

if begin ready-ui \
    'Ask for deployment/ui until it has 1 ready pod.'; then
    it() {
        kubectl get deployment/ui \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 1800 '1 pod is ready' 'look at the pods of the namespace; ask again with: kubectl get deployment/ui --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it is_scaled 1
fi

if begin forget-harness \
    'Everything is up: the note of how many pods there were is not needed any more.'; then
    [ ! -e /etc/airgap/site.harness.pods ] || person 'Delete /etc/airgap/site.harness.pods:

  rm -f -- /etc/airgap/site.harness.pods'
    has_not /etc/airgap/site.harness.pods
fi

say 'Done: bring harness and harness-ng up at dc-north.'
