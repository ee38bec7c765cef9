#!/bin/sh
# Write configuration values for harness 79915
#
# Needs a POSIX shell, mv and sleep, and nothing of airgap-mirror, which made it.
# It stops at the first step that fails, and says what to do. Exit codes are airgap-mirror's.
#
#   sh SCRIPT                          every step
#   START=STEP sh SCRIPT               from this step on: those before it are done
#   CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done

# … mirror/operation/shell/*.sh …

# Files of which the content is known.

# write FILE MANNER: what is on stdin, whole or not at all; once: only where no such file is.
write() {
    if [ "$2" = once ] && [ -e "$1" ]; then
        stop 8 "$1: is there already" 'move it out of the way'
    fi
    whole=yes
    while IFS= read -r line; do
        printf '%s\n' "$line" || whole=''
    done >"$1.part" || whole=''
    if [ -z "$whole" ] || ! mv -f -- "$1.part" "$1"; then
        stop 9 "$1: cannot be written" 'see who may write there, and what room is left'
    fi
}

# has_names FILE TIMES NAME…: whether so many lines of it have each name in them, or more.
has_names() {
    file=$1
    shift
    [ -f "$file" ] || return 1
    while [ "$#" -gt 0 ]; do
        times=0
        while IFS= read -r line || [ -n "$line" ]; do
            case $line in
            *"$2"*) times=$((times + 1)) ;;
            esac
        done <"$file"
        [ "$times" -ge "$1" ] || return 1
        shift 2
    done
}

steps=1
step_names='
write-values
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
'' | write-values) ;;
*) stop 2 "START=$start: there is no such step" 'take the name of one' ;;
esac
check_secrets
clean
has_programs mv sleep

if begin write-values \
    'Write down what harness 79915 asks, to be filled in.' \
    'delete /etc/airgap/new values.yaml'; then
    write '/etc/airgap/new values.yaml' once <<'END_OF_FILE'
# Configuration values of harness 79915, for `configValues` in the site file.
# An item that has a default stands in comments, and keeps it: remove the # to answer.
# There may be passwords in here: keep the file so that nobody else can read it.
apiVersion: kots.io/v1beta1
kind: ConfigValues
metadata:
  name: harness
spec:
  values:

    # ======== Settings

    # Mode (select_one)
    # Vendor's guide: Mode: Demo to try it out, Production HA for production.
    # one of: demo, production
    # default: production
    # mode:
    #   value: ""

    # NodePort (text)
    # A port of every node.
    # Ask whoever runs the load balancer.
    # Vendor's guide: NodePort: any port from 30000 to 32767; without one it is 32500.
    # default: 32500
    # node_port:
    #   value: ""

    # External Loadbalancer (text)
    # Vendor's guide: External Loadbalancer: the IP address of the load balancer.
    lb_address:
      value: ""

    # Application URL (text) - REQUIRED
    # Vendor's guide: Application URL: what users enter, as in https://harness.example; the name
    # is mapped to the load balancer's address.
    app_url:
      value: ""

    # Storage class (text)
    # Vendor's guide: Storage class: a name from kubectl get storageclass; without one it is
    # `default`.
    storage_class:
      value: ""

    # ======== Advanced Configurations
    # asked when: repl{{ ConfigOptionEquals "show_advanced" "1" }}

    # Read the manual first (label)
    # takes no value

    # Install Nginx Ingress Controller (bool)
    # Vendor's guide: Ingress service type: nginx is installed by default; off if you deploy it
    # yourself.
    # default: 1
    # install_nginx:
    #   value: ""

    # Scheme (radio)
    # Vendor's guide: gRPC and load balancer settings: HTTPS needs GRPC Target and GRPC
    # Authority too.
    # one of: http, https
    # default: http
    # scheme:
    #   value: ""

    # GRPC Target (text) - REQUIRED
    # Vendor's guide: gRPC and load balancer settings: the host name of the load balancer (of
    # the one for port 9879 or node port 32510, where the first takes TLS on one port only).
    # asked when: repl{{ ConfigOptionEquals "scheme" "https" }}
    grpc_target:
      value: ""

    # GRPC Authority (text)
    # Vendor's guide: gRPC and load balancer settings: manager-grpc-<host name> if the load
    # balancer speaks HTTP2 on port 443; otherwise the same as GRPC Target, and the load
    # balancer's port 9879 goes to port 9879 or node port 32510 of the ingress controller.
    # asked when: repl{{ ConfigOptionEquals "scheme" "https" }}
    grpc_authority:
      value: ""

    # Log Service Backend (select_one)
    # Vendor's guide: Log service backend: Minio needs a load balancer to port 9000 or node port
    # 32507 of the ingress controller; Amazon S3 needs the settings of the bucket.
    # one of: minio, s3
    # default: minio
    # log_backend:
    #   value: ""

    # Secret key (password)
    # a password: in plain text here, KOTS encrypts it
    # has a default, not shown
    # s3_secret:
    #   valuePlaintext: ""

    # CA (file)
    # the content of the file, in base64
    ca:
      value: ""

    # A name that YAML takes for something else (bool)
    "on":
      value: ""

    # session_key (text)
    # the release's own value: repl{{ RandomString 16 }}
    # hidden
    # session_key:
    #   value: ""

    # Version (text)
    # the release's own value: 1.10
    # read-only
    # version:
    #   value: ""

    # Proxies (text)
    # may be answered more than once, under any names:
    # proxy-1:
    #   repeatableItem: proxy
    #   value: ""

    # Modules (select_many)
    # one of: ci, cd
    # ci:
    #   value: ""
    # cd:
    #   value: ""
END_OF_FILE
fi

say 'Done: write configuration values for harness 79915.'
