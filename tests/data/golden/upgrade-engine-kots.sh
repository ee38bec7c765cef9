#!/bin/sh
# Upgrade harness at dc-north
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
#   - The admin console in namespace harness is older than that of the sources (--from
#     kotsadm=VERSION states it), with Minio, and pulls from the site's registry.
#   - harness is at 79915.
#   - The pull secrets of the cluster have the user of the site file.
#
# To know:
#   - KOTS pushes without verifying the registry's certificate.

# Programs get secrets by the steps that say so, and not otherwise; nor does sh -x show them.
set +x
secret_1=${REGISTRY_USER-}
unset REGISTRY_USER
secret_2=${REGISTRY_PASSWORD-}
unset REGISTRY_PASSWORD

# … mirror/operation/shell/*.sh …

steps=21
step_names='
read-plugin
read-console
read-pull-secrets
read-applications
read-harness
backup
assemble-kotsadm-v1.131.4
push-kotsadm-v1.131.4
pushed-kotsadm-v1.131.4
upgrade-console
console-is-up
assemble-harness-80110
upgrade-harness-80110
pushed-harness-80110
deployed-harness-80110
ready-harness-80110
assemble-harness-80307
upgrade-harness-80307
pushed-harness-80307
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
'' | read-plugin | read-console | read-pull-secrets | read-applications | read-harness | backup | assemble-kotsadm-v1.131.4 | push-kotsadm-v1.131.4 | pushed-kotsadm-v1.131.4 | upgrade-console | console-is-up | assemble-harness-80110 | upgrade-harness-80110 | pushed-harness-80110 | deployed-harness-80110 | ready-harness-80110 | assemble-harness-80307 | upgrade-harness-80307 | pushed-harness-80307 | deployed-harness-80307 | ready-harness-80307) ;;
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
    expect 'the admin console pulls from registry.dc-north.example:5000/harness' "$(registry registry.dc-north.example:5000/harness)" registry.dc-north.example:5000/harness
fi

if begin read-pull-secrets \
    'Ask for the cluster'"'"'s pull secrets, to compare their user and password with those of the site file. The answer holds the password, encoded and not encrypted: let nobody see it.'; then
    it() {
        kubectl get secrets kotsadm-private-registry harness-registry \
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
    understand
    expect 'harness 79915 is deployed' "$(if is_deployed 79915; then printf yes; else printf %s "$found"; fi)" yes
fi

if begin backup \
    'Have a backup before the first change.'; then
    person 'Back up what runs, all of it as it is at one moment, and note where it is. A database that was migrated goes back by its backup only.

This upgrade ends with harness 80307, the admin console v1.131.4 or newer.

The databases in namespace harness: a dump, or a snapshot of the storage, of each volume that holds one (of Harness: MongoDB, TimescaleDB and Redis).
  kubectl get persistentvolumeclaims --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s

The admin console and its applications: a full snapshot, where KOTS has a place for snapshots.
  kubectl kots backup --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness

The answers of each application, to a file for your eyes only. Passwords in it are encrypted, and this admin console alone can read them.
  (umask 077; kubectl kots get config --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --appslug=harness --current > harness.values.yaml)'
fi

if begin assemble-kotsadm-v1.131.4 \
    'Put kotsadm.tar.gz together again from the bundle, for KOTS to push from.' \
    'delete /var/tmp/airgap/0beedddc-kotsadm.tar.gz; nothing needs it once KOTS has pushed from it'; then
    person 'Put the vendor'"'"'s kotsadm.tar.gz, whole and with its images, at /var/tmp/airgap/0beedddc-kotsadm.tar.gz. It has 400000000 bytes and sha256:0beedddcaec81f636bc39979ce991b5c8c57e20fe9fa2ec04ba668171584bd9f; a bundle that was built with --keep-archives holds it.'
    has /var/tmp/airgap/0beedddc-kotsadm.tar.gz
fi

if begin push-kotsadm-v1.131.4 \
    'Let KOTS push the images of kotsadm.tar.gz. An install or upgrade pushes the application'"'"'s only.'; then
    it() {
        KOTS_REGISTRY_USERNAME="$secret_1" \
        KOTS_REGISTRY_PASSWORD="$secret_2" \
        TMPDIR=/var/tmp/airgap \
        kubectl kots admin-console push-images /var/tmp/airgap/0beedddc-kotsadm.tar.gz registry.dc-north.example:5000/harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness
    }
    has /var/tmp/airgap/0beedddc-kotsadm.tar.gz
    follow exit it
fi

if begin pushed-kotsadm-v1.131.4 \
    'See that registry.dc-north.example:5000/harness holds all 5 images of kotsadm.tar.gz, with their digests.'; then
    person 'See that the registry holds each of these 5 images under its name, with this digest, and has everything below it. airgap-mirror audit looks for all of it. Where there is no airgap-mirror, this tells the digest of one:

  skopeo inspect --raw docker://NAME | sha256sum

Otherwise push their source again (airgap-mirror push …): with --repair where something below a name is missing, with --overwrite where a name holds other content.

  registry.dc-north.example:5000/harness/kotsadm:v1.131.4 sha256:6ca70fb3d584ea0ad7d65652de024ed6d1834b2ac713ec1dcd2e7c59a547f462
  registry.dc-north.example:5000/harness/kotsadm-migrations:v1.131.4 sha256:87dece1e53e513efc8d31c5e496962db2c42c623fa3fa5797c7d631ecd0ffb4c
  registry.dc-north.example:5000/harness/dex:2.44.0 sha256:4c93a33dc5e446c0825f1bb8e429f67413b9eec493db8c77d6762aa3df6ae760
  registry.dc-north.example:5000/harness/rqlite:10.2.7 sha256:8f038f149a31c0d0c2fa16a4dd62f87f73f630c65a5aa83fc407a8f2e9c7db1c
  registry.dc-north.example:5000/harness/minio:RELEASE.2025-10-15T17-29-55Z sha256:5fb54d8ff3d58c2ed0d6f389d2da3dc422ffac5a70d0100a87042ae38d8b39d4'
fi

if begin upgrade-console \
    'Take the admin console to v1.131.4, before the applications that may need it.' \
    'nothing goes back by itself: KOTS keeps no way from a newer admin console to an older one; restore a snapshot of its namespace, or go on'; then
    it() {
        KOTS_REGISTRY_USERNAME="$secret_1" \
        KOTS_REGISTRY_PASSWORD="$secret_2" \
        kubectl kots admin-console upgrade \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --kotsadm-registry=registry.dc-north.example:5000/harness \
          --wait-duration=30m
    }
    follow exit it
fi

if begin console-is-up \
    'See that the admin console runs v1.131.4.'; then
    it() {
        kubectl get deployment/kotsadm statefulset/kotsadm configmap/kotsadm-confg \
          --ignore-not-found \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    await 0 'the admin console is v1.131.4' 'look at the pods of the namespace; ask again with: kubectl get deployment/kotsadm statefulset/kotsadm configmap/kotsadm-confg --ignore-not-found --output=json --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --request-timeout=30s' it console_is v1.131.4
fi

if begin assemble-harness-80110 \
    'Put harness-80110.airgap together again from the bundle, for KOTS to push from.' \
    'delete /var/tmp/airgap/3f09793f-harness-80110.airgap; nothing needs it once KOTS has pushed from it'; then
    person 'Put the vendor'"'"'s harness-80110.airgap, whole and with its images, at /var/tmp/airgap/3f09793f-harness-80110.airgap. It has 9000000000 bytes and sha256:3f09793f16caacc20bf1dc2b44d88432f8ba652d9053d9ac440414ed03420ed7; a bundle that was built with --keep-archives holds it.'
    has /var/tmp/airgap/3f09793f-harness-80110.airgap
fi

if begin upgrade-harness-80110 \
    'Take harness to 80110. KOTS pushes the application'"'"'s images from the archive.' \
    'in the admin console, Version history of harness, Rollback to 79915, where the vendor allows that and as long as no database was migrated; otherwise restore the backup'; then
    it() {
        KOTS_REGISTRY_USERNAME="$secret_1" \
        KOTS_REGISTRY_PASSWORD="$secret_2" \
        TMPDIR=/var/tmp/airgap \
        kubectl kots upstream upgrade harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --airgap-bundle=/var/tmp/airgap/3f09793f-harness-80110.airgap \
          --kotsadm-registry=registry.dc-north.example:5000/harness \
          --deploy \
          --output=json
    }
    has /var/tmp/airgap/3f09793f-harness-80110.airgap
    follow answer it
fi

if begin pushed-harness-80110 \
    'See that registry.dc-north.example:5000/harness holds all 2 images of harness-80110.airgap, with their digests.'; then
    person 'See that the registry holds each of these 2 images under its name, with this digest, and has everything below it. airgap-mirror audit looks for all of it. Where there is no airgap-mirror, this tells the digest of one:

  skopeo inspect --raw docker://NAME | sha256sum

Otherwise push their source again (airgap-mirror push …): with --repair where something below a name is missing, with --overwrite where a name holds other content.

  registry.dc-north.example:5000/harness/harness-manager:80110 sha256:3fe442f83f7d6f82da352cf52d29dcff1eb4c0996672e88ceb9f88495547e2c3
  registry.dc-north.example:5000/harness/mongo:4.4.22 sha256:471527c4a4b977f446611f7b0f3cefeaced43fef1a650b2fa315ee05a95ca5df'
fi

if begin deployed-harness-80110 \
    'Ask the console until harness 80110 is deployed; KOTS may end well without having deployed it.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 2700 'harness 80110 is deployed' 'preflight checks may hold it back: look at it in the admin console; ask again with: kubectl kots get versions harness --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_deployed 80110
fi

if begin ready-harness-80110 \
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

if begin assemble-harness-80307 \
    'Put harness-80307.airgap together again from the bundle, for KOTS to push from.' \
    'delete /var/tmp/airgap/c8161234-harness-80307.airgap; nothing needs it once KOTS has pushed from it'; then
    person 'Put the vendor'"'"'s harness-80307.airgap, whole and with its images, at /var/tmp/airgap/c8161234-harness-80307.airgap. It has 9000000000 bytes and sha256:c8161234684ec50e404acb3afed8b3804686e7ce2e8de6bb94fc6cd63f5e0cab; a bundle that was built with --keep-archives holds it.'
    has /var/tmp/airgap/c8161234-harness-80307.airgap
fi

if begin upgrade-harness-80307 \
    'Take harness to 80307. KOTS pushes the application'"'"'s images from the archive.' \
    'in the admin console, Version history of harness, Rollback to 80110, where the vendor allows that and as long as no database was migrated; otherwise restore the backup'; then
    it() {
        KOTS_REGISTRY_USERNAME="$secret_1" \
        KOTS_REGISTRY_PASSWORD="$secret_2" \
        TMPDIR=/var/tmp/airgap \
        kubectl kots upstream upgrade harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --airgap-bundle=/var/tmp/airgap/c8161234-harness-80307.airgap \
          --kotsadm-registry=registry.dc-north.example:5000/harness \
          --deploy \
          --output=json
    }
    has /var/tmp/airgap/c8161234-harness-80307.airgap
    follow answer it
fi

if begin pushed-harness-80307 \
    'See that registry.dc-north.example:5000/harness holds all 2 images of harness-80307.airgap, with their digests.'; then
    person 'See that the registry holds each of these 2 images under its name, with this digest, and has everything below it. airgap-mirror audit looks for all of it. Where there is no airgap-mirror, this tells the digest of one:

  skopeo inspect --raw docker://NAME | sha256sum

Otherwise push their source again (airgap-mirror push …): with --repair where something below a name is missing, with --overwrite where a name holds other content.

  registry.dc-north.example:5000/harness/harness-manager:80307 sha256:f061abd7223f0ed5ed3c48b0ffbc29c621de10b3ea34badaf1dae450e82479c3
  registry.dc-north.example:5000/harness/mongo:4.4.22 sha256:471527c4a4b977f446611f7b0f3cefeaced43fef1a650b2fa315ee05a95ca5df'
fi

if begin deployed-harness-80307 \
    'Ask the console until harness 80307 is deployed; KOTS may end well without having deployed it.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    await 2700 'harness 80307 is deployed' 'preflight checks may hold it back: look at it in the admin console; ask again with: kubectl kots get versions harness --kubeconfig=/home/ops/.kube/config --context=dc-north --namespace=harness --output=json' it is_deployed 80307
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

say 'Done: upgrade harness at dc-north.'
