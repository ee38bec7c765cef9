#!/bin/sh
# Install harness and harness-ng at dc-north, connected
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# Assumed, and asked where it can be:
#   - No admin console runs in namespace harness yet (--skip-console assumes that one does).
#   - harness is not installed yet.
#   - harness-ng is not installed yet.
#   - The cluster is no OpenShift (cluster.openshift: true states that).
#   - The site file has no other scheme or ingress settings than harness.

# Programs get secrets by the steps that say so, and not otherwise; nor does sh -x show them.
set +x
secret_1=${CONSOLE_PASSWORD-}
unset CONSOLE_PASSWORD

# … mirror/operation/shell/*.sh …

steps=11
step_names='
read-plugin
read-api-groups
read-console
install-harness
deployed-harness
ready-harness
take-config-harness-ng
merge-config-harness-ng
install-harness-ng
deployed-harness-ng
ready-harness-ng
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
'' | read-plugin | read-api-groups | read-console | install-harness | deployed-harness | ready-harness | take-config-harness-ng | merge-config-harness-ng | install-harness-ng | deployed-harness-ng | ready-harness-ng) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
check_secret 'environment variable CONSOLE_PASSWORD' "$secret_1"
check_secrets
clean
has_programs kubectl sleep

if begin read-plugin \
    'Ask the plugin for its version, which is the version of the admin console that it deploys.'; then
    it() {
        kubectl kots version --kubeconfig=/home/ops/.kube/config --context=dc-north --output=json
    }
    ask it
fi

if begin read-api-groups \
    'Ask whether the cluster is an OpenShift.'; then
    it() {
        kubectl get \
          --raw=/apis \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    ask it
    understand
    expect 'the cluster is no OpenShift' "$(of_each name config.openshift.io name)" ''
fi

if begin read-console \
    'Ask the cluster which admin console runs, and which registry it pulls from.'; then
    it() {
        kubectl get deployment/kotsadm statefulset/kotsadm configmap/kotsadm-confg \
          --ignore-not-found \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    ask it
    understand maybe
    expect 'no admin console is there' "$(console)" ''
fi

if begin install-harness \
    'Install the admin console, and the newest release of harness; KOTS fetches it from the vendor.' \
    'this takes harness out again; its volumes stay until they are deleted, and with them what users have stored; the admin console goes with the namespace harness, if nothing else uses it:
    kubectl kots remove harness --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --undeploy --force'; then
    it() {
        KOTS_SHARED_PASSWORD="$secret_1" \
        kubectl kots install harness/stable \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --license-file=/etc/airgap/license.yaml \
          --config-values=/etc/airgap/values/configvalues.yaml \
          --no-port-forward \
          --wait-duration=30m \
          --preflights-wait-duration=15m
    }
    follow install it
fi

if begin deployed-harness \
    'Ask the console until harness is deployed; KOTS may end well without having deployed it.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 2700 'the newest version of harness is deployed' 'preflight checks may hold it back: look at it in the admin console; ask again with: kubectl kots get versions harness --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_newest
fi

if begin ready-harness \
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

if begin take-config-harness-ng \
    'Write down what harness is configured with.' \
    'delete /etc/airgap/harness-ng.taken-values.yaml'; then
    it() {
        kubectl kots get config \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --appslug=harness \
          --current
    }
    save it /etc/airgap/harness-ng.taken-values.yaml
fi

if begin merge-config-harness-ng \
    'Make the answers of harness-ng from that: its own first, then those of harness.' \
    'delete /etc/airgap/harness-ng.merged-values.yaml'; then
    person 'Write /etc/airgap/harness-ng.merged-values.yaml, a KOTS ConfigValues file: the values of /etc/airgap/harness-ng.taken-values.yaml. Nobody else may read it.'
    has /etc/airgap/harness-ng.merged-values.yaml
fi

if begin install-harness-ng \
    'Add the newest release of harness-ng; KOTS fetches it from the vendor.' \
    'this takes harness-ng out again; its volumes stay until they are deleted, and with them what users have stored:
    kubectl kots remove harness-ng --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --undeploy --force'; then
    it() {
        KOTS_SHARED_PASSWORD='' \
        kubectl kots install harness-ng/stable \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --license-file=/etc/airgap/license-ng.yaml \
          --config-values=/etc/airgap/harness-ng.merged-values.yaml \
          --exclude-admin-console \
          --no-port-forward \
          --wait-duration=30m \
          --preflights-wait-duration=15m
    }
    follow install it
fi

if begin deployed-harness-ng \
    'Ask the console until harness-ng is deployed; KOTS may end well without having deployed it.'; then
    it() {
        kubectl kots get versions harness-ng \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 2700 'the newest version of harness-ng is deployed' 'preflight checks may hold it back: look at it in the admin console; ask again with: kubectl kots get versions harness-ng --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_newest
fi

if begin ready-harness-ng \
    'Ask the console until everything of harness-ng is ready.'; then
    it() {
        kubectl kots get apps \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 1800 'harness-ng is ready' 'look at the pods of the namespace; ask again with: kubectl kots get apps --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_ready harness-ng
fi

say 'Done: install harness and harness-ng at dc-north, connected.'
