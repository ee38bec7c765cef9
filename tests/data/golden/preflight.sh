#!/bin/sh
# Find what would fail at dc-north
#
# Needs a POSIX shell, kubectl and sleep, and nothing of airgap-mirror, which made it.
# No finding stops it: all are told, and in the end how many there are. Exit codes are
# airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done
#
# To know:
#   - Licences, channels and configuration values are judged by a run alone, from files; whether an
#     install or upgrade would be refused, it works out from all answers.

# Programs get secrets by the steps that say so, and not otherwise; nor does sh -x show them.
set +x
secret_2=${REGISTRY_USER-}
unset REGISTRY_USER
secret_3=${REGISTRY_PASSWORD-}
unset REGISTRY_PASSWORD
secret_4=${CONSOLE_PASSWORD-}
unset CONSOLE_PASSWORD

# … mirror/operation/shell/*.sh …

# … mirror/operation/shell/findings.sh …

# … mirror/operation/shell/seeing.sh …

steps=24
step_names='
registry
push
images
pull
plugin
versions
rights
rights-2
namespaces
namespaces-2
nodes
pods
storage-classes
node-ports
installed
installed-2
installed-3
installed-4
installed-5
installed-6
installed-7
files
console-port
addresses
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
'' | registry | push | images | pull | plugin | versions | rights | rights-2 | namespaces | namespaces-2 | nodes | pods | storage-classes | node-ports | installed | installed-2 | installed-3 | installed-4 | installed-5 | installed-6 | installed-7 | files | console-port | addresses) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
read_secret /etc/airgap/pull-password
secret_1=$value
hide_if_any "$secret_1"
hide_if_any "$secret_2"
hide_if_any "$secret_3"
hide_if_any "$secret_4"
read_secret '/home/ops/console password'
secret_5=$value
hide_if_any "$secret_5"
check_secrets
clean
has_programs kubectl sleep

if begin registry \
    'Does the registry let us in? For the checks registry, push, images.'; then
    say '  GET https://registry.dc-north.example:5000/v2/ with registry.credentials'
    need fail 'it answers with 200, and with a certificate that nodes accept' 'correct the address, the certificate, the user or the password'
fi

if begin push \
    'Does it take an upload in every repository? Each is begun and cancelled. For the check push.'; then
    need fail 'each upload is accepted, with 202' 'create the project or repository there, or give the user of credentials the right'
fi

if begin images \
    'Does it hold every image, down to each blob? For the check images.'; then
    say '  HEAD and GET https://registry.dc-north.example:5000/v2/…/manifests/…, HEAD https://registry.dc-north.example:5000/v2/…/blobs/… of each image'
    need fail 'the registry has each of 0 images that airgap-mirror plan lists for the same sources, by digest, with everything below it' 'push first: airgap-mirror push SOURCE… --site SITE'
fi

if begin pull \
    'May every repository be read by whom the cluster pulls as? For the check pull.'; then
    say '  GET https://registry.dc-north.example:5000/v2/ with registry.pullCredentials'
    say '  HEAD https://registry.dc-north.example:5000/v2/…/manifests/… of one image in each repository'
    need fail 'each answers with 200, or with 404 where nothing was pushed yet' 'give the right to the user of pullCredentials'
fi

if begin plugin \
    'Of which version is kubectl-kots? For the checks plugin, plan.'; then
    it() {
        kubectl kots version --kubeconfig=/home/ops/.kube/config --context=dc-north --output=json
    }
    look json it && {
        need fail 'kubectl-kots is v1.131.4, as the admin console carried' 'unpack the kots_….tar.gz below files/kubectl-kots/ of the bundle, and put the program kots in it first on PATH, under the name kubectl-kots' plugin_is v1.131.4
    }
fi

if begin versions \
    'Of which versions are kubectl and the cluster? For the checks kubectl, cluster.'; then
    it() {
        kubectl version \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    look versions it && {
        need fail 'kubectl is v1.12 or newer' 'install a kubectl of the cluster'"'"'s version' kubectl_since v1.12
        need warn 'kubectl is within one minor version of the cluster' 'install a kubectl of the cluster'"'"'s version' kubectl_near
        need warn 'the cluster is v1.20 to v1.27, as the vendor'"'"'s list of platforms says' 'ask the vendor whether your release runs on it; the vendor'"'"'s own preflight warns below v1.15.0' cluster_within v1.20 v1.27
    }
fi

if begin rights \
    'May we do everything? For the check rights.'; then
    it() {
        kubectl auth can-i '*' '*' \
          --all-namespaces \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    look word it && {
        need warn 'everything may be done, which KOTS wants to see before it installs' 'ask whoever runs the cluster for a role binding to cluster-admin, at least for the window' may_do_everything
    }
fi

if begin rights-2 \
    'What may we do in namespace harness? For the check rights.'; then
    it() {
        kubectl auth can-i \
          --list \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    only 'not everything is allowed' lacks_rights && look lines it && {
        show_lines
        need fail 'harness and harness-ng need not be installed, for which KOTS wants more, and in namespace harness all of this is allowed: configmaps, persistentvolumeclaims, pods, secrets, services, limitranges, daemonsets.apps, deployments.apps, statefulsets.apps, jobs.batch, cronjobs.batch, ingresses.networking.k8s.io: get, list, watch, create, update, patch, delete; namespaces, endpoints, serviceaccounts, roles.rbac.authorization.k8s.io, rolebindings.rbac.authorization.k8s.io, jobs.batch/status: get; selfsubjectaccessreviews.authorization.k8s.io, selfsubjectrulesreviews.authorization.k8s.io, pods/portforward: create; pods/log, pods/exec: get, list, watch, create' 'ask whoever runs the cluster for a role binding to cluster-admin, at least for the window'
    }
fi

if begin namespaces \
    'Is namespace harness there? For the check namespace.'; then
    it() {
        kubectl get namespaces harness \
          --ignore-not-found \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    look maybe it && {
        need fail 'namespace harness is Active' 'wait until it is gone, or find out what holds it: kubectl get namespace' is_active harness
    }
fi

if begin namespaces-2 \
    'May namespaces be created? For the check namespace.'; then
    it() {
        kubectl auth can-i create namespaces \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    only 'a namespace is not there' lacks_namespace && look word it && {
        need fail 'namespaces may be created' 'let somebody create it: kubectl create namespace harness' says_yes
    }
fi

if begin nodes \
    'How many nodes are there, and how large are they? For the checks nodes, cpu, memory.'; then
    it() {
        kubectl get nodes \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    look json it && {
        show_nodes
        need fail 'some nodes take pods: ready, not cordoned, without a taint that keeps pods off' 'see kubectl get nodes'
        need fail 'these have 8 CPU and 12 GB each' 'use larger machines'
    }
fi

if begin pods \
    'What have other pods reserved of the nodes? For the checks cpu, memory.'; then
    it() {
        kubectl get pods \
          --all-namespaces \
          '--field-selector=status.phase!=Succeeded,status.phase!=Failed' \
          --no-headers \
          '--output=custom-columns=C0:.metadata.namespace,C1:.spec.nodeName,C2:.spec.containers[*].resources.requests.cpu,C3:.spec.containers[*].resources.requests.memory' \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    look lines it && {
        show_lines
        need fail 'of the CPU that these nodes have for pods, what pods outside of harness have reserved leaves 55 CPU (harness production 37.5 CPU, harness-ng production 17.5 CPU)' 'add nodes, or larger ones'
        need fail 'of the memory that these nodes have for pods, what pods outside of harness have reserved leaves 140 GB (harness production 73.5 GB, harness-ng production 66.5 GB)' 'add nodes, or larger ones'
    }
fi

if begin storage-classes \
    'Which StorageClasses are there? For the check storage-class.'; then
    it() {
        kubectl get storageclasses \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    look json it && {
        show_names
        need fail 'StorageClass fast, which the values of harness name, is there' 'create it, or name one that is there in the values of harness' has_class fast
        need fail 'StorageClass fast, which the values of harness-ng name, is there' 'create it, or name one that is there in the values of harness-ng' has_class fast
        need warn 'the storage behind it has 1000 GB (harness production 1000 GB)' 'ask whoever runs the storage'
    }
fi

if begin node-ports \
    'Which node ports are taken? For the checks node-port, ports.'; then
    it() {
        kubectl get services \
          --all-namespaces \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    look json it && {
        need fail 'node port 32500 is free for harness' 'choose another in the configuration values and the load balancer, or free it' port_is_free 32500 harness
        need warn 'node port 32510 is free for harness' 'choose another in the configuration values and the load balancer, or free it' port_is_free 32510 harness
        need warn 'node port 32507 is free for harness' 'choose another in the configuration values and the load balancer, or free it' port_is_free 32507 harness
        need fail 'node port 32500 is free for harness-ng' 'choose another in the configuration values and the load balancer, or free it' port_is_free 32500 harness
        need warn 'node port 32510 is free for harness-ng' 'choose another in the configuration values and the load balancer, or free it' port_is_free 32510 harness
        need warn 'node port 32507 is free for harness-ng' 'choose another in the configuration values and the load balancer, or free it' port_is_free 32507 harness
    }
fi

if begin installed \
    'Does an admin console run in namespace harness? For the checks plan, rights, config, licence, files, space.'; then
    it() {
        kubectl get deployment/kotsadm statefulset/kotsadm configmap/kotsadm-confg \
          --ignore-not-found \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    look maybe it && {
        show_console harness
    }
fi

if begin installed-2 \
    'What do the nodes pull with in namespace harness? For the checks plan, rights, config, licence, files, space.'; then
    it() {
        kubectl get secrets kotsadm-private-registry harness-registry harness-ng-registry \
          --ignore-not-found \
          --output=json \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --request-timeout=30s
    }
    only 'an admin console is in namespace harness' has_console harness && look secret it && {
        need warn 'the pull secrets have the user and the password of the site file' 'an upgrade says what is then done by hand' has_login kotsadm-private-registry registry.dc-north.example:5000 harness-pull "$secret_1"
    }
fi

if begin installed-3 \
    'Which applications does the console in namespace harness have? For the checks plan, rights, config, licence, files, space.'; then
    it() {
        kubectl kots get apps \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    only 'an admin console is in namespace harness' has_console harness && look list it && {
        show_applications
    }
fi

if begin installed-4 \
    'Which releases of harness are there? For the checks plan, rights, config, licence, files, space.'; then
    it() {
        kubectl kots get versions harness \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    only 'harness is installed' has_application harness && look list it && {
        show_versions
        need fail 'what is deployed of harness leads to what is carried, 79915: no release that they require is left out, nor more than four major ones' 'airgap-mirror upgrade --dry-run says what is missing'
    }
fi

if begin installed-5 \
    'Which releases of harness-ng are there? For the checks plan, rights, config, licence, files, space.'; then
    it() {
        kubectl kots get versions harness-ng \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --namespace=harness \
          --output=json
    }
    only 'harness-ng is installed' has_application harness-ng && look list it && {
        show_versions
        need fail 'what is deployed of harness-ng leads to what is carried, 500: no release that they require is left out, nor more than four major ones' 'airgap-mirror upgrade --dry-run says what is missing'
    }
fi

if begin installed-6 \
    'Is it an OpenShift? For the checks plan, rights, config, licence, files, space.'; then
    it() {
        kubectl get \
          --raw=/apis \
          --kubeconfig=/home/ops/.kube/config \
          --context=dc-north \
          --request-timeout=30s
    }
    only 'harness or harness-ng is still to be installed' lacks_application harness harness-ng && look json it && {
        show_openshift config.openshift.io
    }
fi

if begin installed-7 \
    'Can oc be started? For the checks plan, rights, config, licence, files, space.'; then
    it() {
        oc version --client --output=json
    }
    only 'harness or harness-ng is still to be installed, on an OpenShift' needs_oc harness harness-ng && look any it && {
        need warn 'oc can be started' 'without it, kubectl does the same, and a person where it cannot' ended_well
    }
fi

if begin files \
    'Can every file and secret be read that the site file names? For the check files.'; then
    need fail '/home/ops/.kube/config can be read' 'put it there' is_readable /home/ops/.kube/config
    need fail 'environment variable REGISTRY_USER has a value' 'set it, or put it there' is_set "$secret_2"
    need fail 'environment variable REGISTRY_PASSWORD has a value' 'set it, or put it there' is_set "$secret_3"
    need fail 'file /etc/airgap/pull-password has a value' 'set it, or put it there' is_set "$secret_1"
    need fail '/etc/airgap/license.yaml can be read' 'put it there' is_readable /etc/airgap/license.yaml harness
    need fail '/etc/airgap/values/configvalues.yaml can be read' 'put it there' is_readable /etc/airgap/values/configvalues.yaml harness
    need fail 'environment variable CONSOLE_PASSWORD has a value' 'set it, or put it there' is_set "$secret_4" harness
    need fail '/etc/airgap/license-ng.yaml can be read' 'put it there' is_readable /etc/airgap/license-ng.yaml harness-ng
    need fail 'file /home/ops/console password has a value' 'set it, or put it there' is_set "$secret_5" harness-ng
fi

if begin console-port \
    'Does something listen here on the port of the admin console? For the check console-port.'; then
    say '  bind 127.0.0.1:8800'
    need warn 'nothing listens on port 8800 of this machine' 'end what listens there, or open the console with another --port'
fi

if begin addresses \
    'What do the names of hosts resolve to? For the check dns.'; then
    say '  look up harness.dc-north.example'
    need fail 'harness.dc-north.example leads to the load balancer, 192.0.2.10' 'correct the DNS entry, or External Loadbalancer in the configuration values'
fi

sum_up 'find what would fail at dc-north'
