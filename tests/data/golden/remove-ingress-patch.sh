#!/bin/sh
# Remove nginx-service.yaml from harness at dc-north
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# Assumed, and asked where it can be:
#   - harness is deployed, and no newer version of it waits.
#   - Its manifests have nginx-service.yaml; a run looks, and ends where they do not.
#   - /etc/airgap/site.harness-manifests is not there yet.

# … mirror/operation/shell/*.sh …

steps=8
step_names='
read-applications
read-harness
download
edit-kustomization
remove-patch
upload
deployed
clean-up
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
'' | read-applications | read-harness | download | edit-kustomization | remove-patch | upload | deployed | clean-up) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
check_secrets
clean
has_programs kubectl sleep

if begin read-applications \
    'Ask the console whether it has harness.'; then
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
    'Ask whether the newest version of harness is the deployed one.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    ask it
    understand
    expect 'the newest version of harness is deployed' "$(if is_newest; then printf yes; else printf %s "$found"; fi)" yes
fi

if begin download \
    'Get the manifests of the deployed version of harness. Its licence is among them.'; then
    it() {
        kubectl kots download \
          --slug=harness \
          --dest=/etc/airgap/site.harness-manifests \
          --current \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness
    }
    ask it
fi

if begin edit-kustomization \
    'Let the manifests not be patched with nginx-service.yaml any more.'; then
    if mentions /etc/airgap/site.harness-manifests/harness/overlays/midstream/kustomization.yaml nginx-service.yaml; then person 'In /etc/airgap/site.harness-manifests/harness/overlays/midstream/kustomization.yaml, take nginx-service.yaml out of the list patchesStrategicMerge.'; fi
fi

if begin remove-patch \
    'Remove the patch itself.'; then
    [ ! -e /etc/airgap/site.harness-manifests/harness/overlays/midstream/nginx-service.yaml ] || person 'Delete /etc/airgap/site.harness-manifests/harness/overlays/midstream/nginx-service.yaml:

  rm -f -- /etc/airgap/site.harness-manifests/harness/overlays/midstream/nginx-service.yaml'
    has_not /etc/airgap/site.harness-manifests/harness/overlays/midstream/nginx-service.yaml
fi

if begin upload \
    'Give the manifests back to the console, as a new version of harness, and deploy it.' \
    'in the admin console, Version history of harness, deploy the version before: it has the patch'; then
    it() {
        kubectl kots upload /etc/airgap/site.harness-manifests/harness \
          --slug=harness \
          --deploy \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness
    }
    follow answer it
fi

if begin deployed \
    'Ask the console until the new version is deployed; KOTS may end well without it.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 2700 'the newest version of harness is deployed' 'preflight checks may hold it back: look at it in the admin console; ask again with: kubectl kots get versions harness --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_newest
fi

if begin clean-up \
    'Delete the manifests here: nothing needs them any more, and the licence is in them.'; then
    [ ! -e /etc/airgap/site.harness-manifests ] || person 'Delete /etc/airgap/site.harness-manifests with everything in it:

  rm -rf -- /etc/airgap/site.harness-manifests'
    has_not /etc/airgap/site.harness-manifests
fi

say 'Done: remove nginx-service.yaml from harness at dc-north.'
