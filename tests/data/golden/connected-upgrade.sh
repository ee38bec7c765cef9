#!/bin/sh
# Upgrade harness and harness-ng at dc-north, connected
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# Assumed, and asked where it can be:
#   - The admin console in namespace harness is older than the plugin.
#   - harness is installed.
#   - harness-ng is installed.
#
# To know:
#   - KOTS takes harness to the newest release of its channel at once. The vendor wants no step of
#     more than four major releases: name each on the way with --version LABEL.
#   - KOTS takes harness-ng to the newest release of its channel at once. The vendor wants no step
#     of more than four major releases: name each on the way with --version LABEL.

# … mirror/operation/shell/*.sh …

steps=14
step_names='
read-plugin
read-console
read-applications
read-harness
read-harness-ng
backup
upgrade-console
console-is-up
upgrade-harness
deployed-harness
ready-harness
upgrade-harness-ng
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
'' | read-plugin | read-console | read-applications | read-harness | read-harness-ng | backup | upgrade-console | console-is-up | upgrade-harness | deployed-harness | ready-harness | upgrade-harness-ng | deployed-harness-ng | ready-harness-ng) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
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
fi

if begin read-harness \
    'Ask which release of harness is deployed.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    ask it
fi

if begin read-harness-ng \
    'Ask which release of harness-ng is deployed.'; then
    it() {
        kubectl kots get versions harness-ng \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    ask it
fi

if begin backup \
    'Have a backup before the first change.'; then
    person 'Back up what runs, all of it as it is at one moment, and note where it is. A database that was migrated goes back by its backup only.

The databases in namespace harness: a dump, or a snapshot of the storage, of each volume that holds one (of Harness: MongoDB, TimescaleDB and Redis).
  kubectl get persistentvolumeclaims --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s

The admin console and its applications: a full snapshot, where KOTS has a place for snapshots.
  kubectl kots backup --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness

The answers of each application, to a file for your eyes only. Passwords in it are encrypted, and this admin console alone can read them.
  (umask 077; kubectl kots get config --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --appslug=harness --current > harness.values.yaml)
  (umask 077; kubectl kots get config --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --appslug=harness-ng --current > harness-ng.values.yaml)'
fi

if begin upgrade-console \
    'Take the admin console to the version of the plugin.' \
    'nothing goes back by itself: KOTS keeps no way from a newer admin console to an older one; restore a snapshot of its namespace, or go on'; then
    it() {
        kubectl kots admin-console upgrade \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --wait-duration=30m
    }
    follow exit it
fi

if begin console-is-up \
    'See that the admin console runs the version of the plugin.'; then
    it() {
        kubectl get deployment/kotsadm statefulset/kotsadm configmap/kotsadm-confg \
          --ignore-not-found \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    plugin_itself() {
        kubectl kots version --kubeconfig=/home/ops/.kube/config --context=dc-north --output=json
    }
    ask plugin_itself
    understand
    wanted=$(plugin)
    await 0 'the admin console is of the version of the plugin' 'look at the pods of the namespace; ask again with: kubectl get deployment/kotsadm statefulset/kotsadm configmap/kotsadm-confg --ignore-not-found --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it console_is "$wanted"
fi

if begin upgrade-harness \
    'Take harness to the newest release; KOTS fetches it from the vendor.' \
    'in the admin console, Version history of harness, Rollback to the release before, where the vendor allows that and as long as no database was migrated; otherwise restore the backup'; then
    it() {
        kubectl kots upstream upgrade harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --deploy \
          --output=json
    }
    follow answer it
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

if begin upgrade-harness-ng \
    'Take harness-ng to the newest release; KOTS fetches it from the vendor.' \
    'in the admin console, Version history of harness-ng, Rollback to the release before, where the vendor allows that and as long as no database was migrated; otherwise restore the backup'; then
    it() {
        kubectl kots upstream upgrade harness-ng \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --deploy \
          --output=json
    }
    follow answer it
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

say 'Done: upgrade harness and harness-ng at dc-north, connected.'
