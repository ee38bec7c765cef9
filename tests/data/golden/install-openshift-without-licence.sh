#!/bin/sh
# Install harness at dc-north
#
# Needs a POSIX shell, kubectl and oc and sleep, and nothing of airgap-mirror, which made it.
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
#   - No admin console runs in namespace harness yet (--skip-console assumes that one does).
#   - There is no namespace harness yet.
#   - harness is not installed yet.
#
# To know:
#   - /etc/airgap/license.yaml was not read: the channel of harness is left out here, and KOTS takes
#     `stable` for it. A run takes it from the licence.
#   - The nodes pull from registry.dc-north.example:5000 themselves: their container runtime must
#     accept plain HTTP to it.
#   - KOTS gets no user of the registry (dockerConfig): the nodes must be able to pull by
#     themselves, or give registry.pullCredentials in the site file.

# Programs get secrets by the steps that say so, and not otherwise; nor does sh -x show them.
set +x
secret_1=${CONSOLE_PASSWORD-}
unset CONSOLE_PASSWORD

# … mirror/operation/shell/*.sh …

steps=11
step_names='
read-plugin
read-console
read-namespace
read-oc
images
create-namespace
anyuid
anyuid-2
install-harness
deployed-harness-79915
ready-harness-79915
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
'' | read-plugin | read-console | read-namespace | read-oc | images | create-namespace | anyuid | anyuid-2 | install-harness | deployed-harness-79915 | ready-harness-79915) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
check_secret 'environment variable CONSOLE_PASSWORD' "$secret_1"
check_secrets
clean
has_programs kubectl oc sleep

if begin read-plugin \
    'Ask the plugin for its version, which is the version of the admin console that it deploys; it must be v1.131.4.'; then
    it() {
        kubectl kots version --kubeconfig=/home/ops/.kube/config --context=dc-north --output=json
    }
    ask it
    understand
    expect 'the plugin is v1.131.4' "$(plugin)" v1.131.4
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

if begin read-namespace \
    'Ask whether the namespace harness is there.'; then
    it() {
        kubectl get namespaces harness \
          --ignore-not-found \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    ask it
    understand maybe
    expect 'there is no namespace harness yet' "$(of_each name harness name)" ''
fi

if begin read-oc \
    'Ask whether oc is there, which is how service accounts get more rights.'; then
    it() {
        oc version --client --output=json
    }
    ask it
fi

if begin images \
    'See that registry.dc-north.example:5000/harness holds all 7 images under the names that KOTS will pull, with the digests that were pushed.'; then
    person 'See that the registry holds each of these 7 images under its name, with this digest, and has everything below it. airgap-mirror audit looks for all of it. Where there is no airgap-mirror, this tells the digest of one:

  skopeo inspect --raw docker://NAME | sha256sum

Otherwise push the same sources there first: airgap-mirror push … --site …; with --repair where something below a name is missing, with --overwrite where a name holds other content.

  registry.dc-north.example:5000/harness/kotsadm:v1.131.4 sha256:6ca70fb3d584ea0ad7d65652de024ed6d1834b2ac713ec1dcd2e7c59a547f462
  registry.dc-north.example:5000/harness/kotsadm-migrations:v1.131.4 sha256:87dece1e53e513efc8d31c5e496962db2c42c623fa3fa5797c7d631ecd0ffb4c
  registry.dc-north.example:5000/harness/dex:2.44.0 sha256:4c93a33dc5e446c0825f1bb8e429f67413b9eec493db8c77d6762aa3df6ae760
  registry.dc-north.example:5000/harness/rqlite:10.2.7 sha256:8f038f149a31c0d0c2fa16a4dd62f87f73f630c65a5aa83fc407a8f2e9c7db1c
  registry.dc-north.example:5000/harness/minio:RELEASE.2025-10-15T17-29-55Z sha256:5fb54d8ff3d58c2ed0d6f389d2da3dc422ffac5a70d0100a87042ae38d8b39d4
  registry.dc-north.example:5000/harness/harness-manager:79915 sha256:429adea0c6af92f7280e45dec29d93b5b4cb7da5a039c7781b215b24edcd6589
  registry.dc-north.example:5000/harness/mongo:4.4.22 sha256:471527c4a4b977f446611f7b0f3cefeaced43fef1a650b2fa315ee05a95ca5df'
fi

if begin create-namespace \
    'Create the namespace harness: what follows is allowed in it.' \
    'delete it, as long as nothing is in it:
    kubectl delete namespace harness --kubeconfig=/home/ops/.kube/config --context=dc-north --request-timeout=30s'; then
    it() {
        kubectl create namespace harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    follow exit it
fi

if begin anyuid \
    'Let pods of the service account default run as the user that their images name, which OpenShift refuses otherwise.' \
    'this takes it back:
    oc adm policy remove-scc-from-user anyuid --serviceaccount=default --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness'; then
    it() {
        oc adm policy add-scc-to-user anyuid \
          --serviceaccount=default \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness
    }
    follow exit it
fi

if begin anyuid-2 \
    'Let pods of the service account harness-default run as the user that their images name, which OpenShift refuses otherwise.' \
    'this takes it back:
    oc adm policy remove-scc-from-user anyuid --serviceaccount=harness-default --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness'; then
    it() {
        oc adm policy add-scc-to-user anyuid \
          --serviceaccount=harness-default \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness
    }
    follow exit it
fi

if begin install-harness \
    'Install the admin console v1.131.4, and harness 79915 with it. KOTS pushes nothing: the images are in the registry, proven by digest.' \
    'this takes harness out again; its volumes stay until they are deleted, and with them what users have stored; the admin console goes with the namespace harness, if nothing else uses it:
    kubectl kots remove harness --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --undeploy --force'; then
    it() {
        KOTS_SHARED_PASSWORD="$secret_1" \
        kubectl kots install harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --license-file=/etc/airgap/license.yaml \
          --config-values=/etc/airgap/values/configvalues.yaml \
          --airgap-bundle=/media/usb/harness/kots/harness/79915.airgap \
          --kotsadm-registry=registry.dc-north.example:5000/harness \
          --disable-image-push \
          --skip-registry-check \
          --no-port-forward \
          --wait-duration=30m \
          --preflights-wait-duration=15m
    }
    has /media/usb/harness/kots/harness/79915.airgap
    follow install it
fi

if begin deployed-harness-79915 \
    'Ask the console until harness 79915 is deployed; KOTS may end well without having deployed it.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 2700 'harness 79915 is deployed' 'preflight checks may hold it back: look at it in the admin console; ask again with: kubectl kots get versions harness --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_deployed 79915
fi

if begin ready-harness-79915 \
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

say 'Done: install harness at dc-north.'
