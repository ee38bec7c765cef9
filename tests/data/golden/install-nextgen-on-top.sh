#!/bin/sh
# Install harness-ng at dc-north
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# It cannot prove the archives that KOTS is given: do so before, with `sha256sum -c SHA256SUMS` in
# the bundle, or with airgap-mirror verify.
#
# Assumed, and asked where it can be:
#   - The admin console in namespace harness is v1.131.4, with Minio, and pulls from the site's
#     registry.
#   - harness-ng is not installed yet.
#   - The cluster is no OpenShift (cluster.openshift: true states that).
#   - The pull secrets of the cluster have the user of the site file.

# Programs get secrets by the steps that say so, and not otherwise; nor does sh -x show them.
set +x
secret_1=${REGISTRY_USER-}
unset REGISTRY_USER
secret_2=${REGISTRY_PASSWORD-}
unset REGISTRY_PASSWORD

# … mirror/operation/shell/*.sh …

steps=9
step_names='
read-plugin
read-api-groups
read-console
read-pull-secrets
read-applications
images
install-harness-ng
deployed-harness-ng-500
ready-harness-ng-500
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
'' | read-plugin | read-api-groups | read-console | read-pull-secrets | read-applications | images | install-harness-ng | deployed-harness-ng-500 | ready-harness-ng-500) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
check_secret 'environment variable REGISTRY_USER' "$secret_1"
check_secret 'environment variable REGISTRY_PASSWORD' "$secret_2"
check_secrets
clean
has_programs kubectl sleep

if begin read-plugin \
    'Ask the plugin for its version, which is the version of the admin console that it deploys; it must be v1.131.4.'; then
    it() {
        kubectl kots version --kubeconfig=/home/ops/.kube/config --context=dc-north --output=json
    }
    ask it
    understand
    expect 'the plugin is v1.131.4' "$(plugin)" v1.131.4
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
    expect 'the admin console is v1.131.4' "$(console)" v1.131.4
    expect 'the admin console pulls from registry.dc-north.example:5000/harness' "$(registry registry.dc-north.example:5000/harness)" registry.dc-north.example:5000/harness
fi

if begin read-pull-secrets \
    'Ask for the cluster'"'"'s pull secrets, to compare their user and password with those of the site file. The answer holds the password, encoded and not encrypted: let nobody see it.'; then
    it() {
        kubectl get secrets kotsadm-private-registry harness-ng-registry \
          --ignore-not-found \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    ask it
    understand maybe
    expect 'the pull secrets have the user and password of the site file' "$(pulls_as kotsadm-private-registry registry.dc-north.example:5000 "$secret_1" "$secret_2")" ''
fi

if begin read-applications \
    'Ask the console which applications it has.'; then
    it() {
        kubectl kots get apps \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    ask it
    understand
    expect 'harness-ng is not installed' "$(of_each slug harness-ng slug)" ''
fi

if begin images \
    'See that registry.dc-north.example:5000/harness holds all 2 images under the names that KOTS will pull, with the digests that were pushed.'; then
    person 'See that the registry holds each of these 2 images under its name, with this digest, and has everything below it. airgap-mirror audit looks for all of it. Where there is no airgap-mirror, this tells the digest of one:

  skopeo inspect --raw docker://NAME | sha256sum

Otherwise push the same sources there first: airgap-mirror push … --site …; with --repair where something below a name is missing, with --overwrite where a name holds other content.

  registry.dc-north.example:5000/harness/harness-ng-manager:500 sha256:6c26b0a51910e136990f8bf9c8dd794dc44a0fcdaf40a0de78f4488f40a812d5
  registry.dc-north.example:5000/harness/mongo:4.4.22 sha256:471527c4a4b977f446611f7b0f3cefeaced43fef1a650b2fa315ee05a95ca5df'
fi

if begin install-harness-ng \
    'Add harness-ng 500 to the admin console, which is left as it is. KOTS pushes nothing: the images are in the registry, proven by digest.' \
    'this takes harness-ng out again; its volumes stay until they are deleted, and with them what users have stored:
    kubectl kots remove harness-ng --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --undeploy --force'; then
    it() {
        KOTS_REGISTRY_USERNAME="$secret_1" \
        KOTS_REGISTRY_PASSWORD="$secret_2" \
        KOTS_SHARED_PASSWORD='' \
        kubectl kots install harness-ng/stable \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --license-file=/etc/airgap/license-ng.yaml \
          --airgap-bundle=/media/usb/harness/kots/harness-ng/500.airgap \
          --kotsadm-registry=registry.dc-north.example:5000/harness \
          --disable-image-push \
          --exclude-admin-console \
          --no-port-forward \
          --wait-duration=30m \
          --preflights-wait-duration=15m
    }
    has /media/usb/harness/kots/harness-ng/500.airgap
    follow install it
fi

if begin deployed-harness-ng-500 \
    'Ask the console until harness-ng 500 is deployed; KOTS may end well without having deployed it.'; then
    it() {
        kubectl kots get versions harness-ng \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 2700 'harness-ng 500 is deployed' 'preflight checks may hold it back: look at it in the admin console; ask again with: kubectl kots get versions harness-ng --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_deployed 500
fi

if begin ready-harness-ng-500 \
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

say 'Done: install harness-ng at dc-north.'
