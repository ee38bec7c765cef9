#!/bin/sh
# Renew the licence of harness at dc-north
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# Assumed, and asked where it can be:
#   - harness is deployed, no newer version of it waits, and the new licence has its channel.

# … mirror/operation/shell/*.sh …

steps=7
step_names='
read-applications
read-harness
upload-licence
deployed
same-licence
clean-up
keep-licence
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
'' | read-applications | read-harness | upload-licence | deployed | same-licence | clean-up | keep-licence) ;;
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

if begin upload-licence \
    'Give the new licence of harness to the admin console: the plugin has no command that does.' \
    'none is needed: a licence that is valid for longer changes nothing else'; then
    person 'Open a way to the admin console in another terminal, and leave it open:

  kubectl kots admin-console --port=8800 --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness

Log in at http://localhost:8800, or where that command says.

Choose harness, then License, then Upload license, and the file /etc/airgap/renewed.yaml.

The page says that it was uploaded. Then open Version history: the newest version has the source License Change. Deploy it.'
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

if begin same-licence \
    'Get the manifests of the deployed version of harness, and see that its licence is the new one: the same ID, count of changes and end. None of that is shown.'; then
    it() {
        kubectl kots download \
          --slug=harness \
          --dest=/etc/airgap/site.harness-licence \
          --current \
          --overwrite \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness
    }
    await 0 'harness runs with the licence /etc/airgap/renewed.yaml' 'upload it in the admin console, and deploy the version that this makes, whose source is License Change; then run the same command again; ask again with: kubectl kots download --slug=harness --dest=/etc/airgap/site.harness-licence --current --overwrite --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness' it has_licence /etc/airgap/site.harness-licence/harness/upstream/userdata/license.yaml /etc/airgap/renewed.yaml
fi

if begin clean-up \
    'Delete the manifests here: the licence is in them.'; then
    [ ! -e /etc/airgap/site.harness-licence ] || person 'Delete /etc/airgap/site.harness-licence with everything in it:

  rm -rf -- /etc/airgap/site.harness-licence'
    has_not /etc/airgap/site.harness-licence
fi

if begin keep-licence \
    'Let the installs to come take the new licence, too.' \
    'none is needed: the console has the new licence, and nothing asks for the old one'; then
    person 'Put /etc/airgap/renewed.yaml in place of /etc/airgap/license.yaml:

  cp -- /etc/airgap/renewed.yaml /etc/airgap/license.yaml'
    has /etc/airgap/license.yaml
fi

say 'Done: renew the licence of harness at dc-north.'
