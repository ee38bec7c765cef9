"""The JSON Schema of a site file, which is read at the disconnected end.

It is here, and not beside its parser, because editors are where specs are written: at the
connected end, which knows nothing of the other.
"""

from __future__ import annotations

from transfer.schema.habits import habits_schema
from transfer.schema.patterns import DURATION, ENDPOINT, LABEL, VARIABLE, WORKLOAD
from transfer.schema.words import (
    Schema,
    absent,
    at_most_one,
    choice,
    document,
    exactly_one,
    flag,
    given,
    mapping,
    number,
    several,
    text,
    where,
)

_TLS = ("caFile", "plainHttp", "insecureSkipTlsVerify")
_LOGIN = ("username", "usernameEnv", "passwordEnv", "passwordFile")


def site_schema() -> Schema:
    """Of a `Site`: one disconnected installation."""
    applications: Schema = {
        "type": "object",
        "description": "The site's applications, by the slug that is in the licence.",
        "minProperties": 1,
        "propertyNames": {"pattern": f"^(?:{LABEL})$"},
        "additionalProperties": _application(),
    }
    return document(
        "Site",
        "Site of Harness Self-Managed",
        mapping(
            "One disconnected installation: its registry, its cluster, its licences. Relative "
            "paths start at the file's folder; no password is in it, only where it is found.",
            required={
                "name": text("The site's name, for people.", "dc-north"),
                "registry": _registry(),
                "namespace": text(
                    "The Kubernetes namespace of the admin console and, unless they say "
                    "otherwise, of the applications.",
                    "harness",
                    pattern=LABEL,
                ),
                "applications": applications,
            },
            optional={"cluster": _cluster(), "waits": _waits()},
        ),
    )


def _registry() -> Schema:
    docker = flag(
        "true: docker's credential files and helpers. KOTS cannot read those: give "
        "pullCredentials too, or let the nodes pull by themselves."
    )
    credentials = mapping(
        "Who pushes. Without it, the registry asks for no password.",
        where(given("dockerConfig"), absent(*_LOGIN), {"allOf": list(_login_rules())}),
        optional={**_login_keys(), "dockerConfig": {**docker, "not": {"const": False}}},
    )
    pull = "Who pulls: KOTS leaves this user in the cluster. Without it, credentials stays there."
    return mapping(
        "The site's registry. Every command derives from it.",
        at_most_one(*_TLS),
        at_most_one("clientCertFile", "plainHttp"),
        where(given("clientKeyFile"), given("clientCertFile")),
        required={
            "endpoint": text(
                "Host, port and namespace in one string, without a scheme and without a slash at "
                "the end.",
                "registry.dc-north.example:5000/harness",
                pattern=ENDPOINT,
            )
        },
        optional={
            "caFile": text("PEM with the CA of its certificate.", "pki/dc-north-ca.pem"),
            "plainHttp": flag("true: it speaks HTTP without TLS.", default=False),
            "insecureSkipTlsVerify": flag("true: accept any certificate.", default=False),
            "clientCertFile": text(
                "PEM to show to a registry that asks for a client certificate.", "pki/client.pem"
            ),
            "clientKeyFile": text("Its key (PEM), where it is in another file.", "pki/client.key"),
            "createMissing": flag(
                "true: a push creates projects and repositories that the registry wants first, "
                "in a Harbor or an ECR.",
                default=False,
            ),
            "habits": habits_schema(),
            "credentials": credentials,
            "pullCredentials": mapping(pull, *_login_rules(), optional=_login_keys()),
        },
    )


def _login_keys() -> dict[str, Schema]:
    return {
        "username": text("The user's name; or usernameEnv.", "harness-push"),
        "usernameEnv": _variable("that holds the user's name; or username.", "REGISTRY_USER"),
        "passwordEnv": _variable("that holds the password; or passwordFile.", "REGISTRY_PASSWORD"),
        "passwordFile": text("A file of one line, the password; or passwordEnv.", "pull-password"),
    }


def _login_rules() -> tuple[Schema, Schema]:
    return exactly_one("username", "usernameEnv"), exactly_one("passwordEnv", "passwordFile")


def _cluster() -> Schema:
    return mapping(
        "How kubectl finds the cluster; by its own defaults, where this says nothing.",
        optional={
            "kubeconfig": text("A kubeconfig file.", "~/.kube/config"),
            "context": text("A context of that file.", "dc-north"),
            "openshift": flag(
                "true: it is an OpenShift; otherwise an install asks it.", default=False
            ),
            "rbac": choice(
                "Which role the admin console has. cluster, where nothing is said: KOTS makes one "
                "for the whole cluster, for which whoever installs has to be cluster-admin. "
                "minimal: KOTS makes one for the namespace, where the application supports that. "
                "given: it is there already, with the service account kotsadm and its binding.",
                "cluster",
                "minimal",
                "given",
            ),
        },
    )


def _application() -> Schema:
    return mapping(
        "One application of the site.",
        at_most_one("sharedPasswordEnv", "sharedPasswordFile"),
        required={"licenseFile": text("Its licence.", "licences/harness.yaml")},
        optional={
            "configValues": text(
                "Answers to its questions. Without them, KOTS waits for somebody to fill in the "
                "Config page.",
                "values/harness.yaml",
            ),
            "sharedPasswordEnv": _variable(
                "that holds the admin console's password, set when it comes with its first "
                "application; or sharedPasswordFile.",
                "CONSOLE_PASSWORD",
            ),
            "sharedPasswordFile": text("A file of one line, that password."),
            "channel": text(
                "The slug of a channel of the licence; by default the one of the release.",
                "stable",
            ),
            "namespace": text(
                "A namespace of its own, with an admin console of its own.", pattern=LABEL
            ),
            "skipPreflights": flag(
                "true: deploy in spite of preflight checks that are not strict.", default=False
            ),
            "withMinio": flag(
                "Whether the admin console runs with Minio; by default as its archive has it."
            ),
            "serviceAccounts": several(
                "On OpenShift: who has to be allowed to run as any user before the install; by "
                "default `default`, and of Harness those that its guide names.",
                text("A service account.", "harness-serviceaccount"),
            ),
            "requirements": _requirements(),
            "downtime": _downtime(),
        },
    )


def _requirements() -> Schema:
    figures = {
        "cpu": number("CPUs, of all nodes together.", 20),
        "memoryGB": number("Memory in GB (10^9 bytes), of all nodes together.", 40),
        "storageGB": number("Volumes in GB (10^9 bytes), of all together.", 200),
    }
    return mapping(
        "What it needs of the cluster, for airgap-mirror preflight; without it, as the vendor's "
        "tables say. Either a table of the vendor's, or figures.",
        {"anyOf": [given(key) for key in ("mode", *figures)]},
        where(given("mode"), absent(*figures)),
        optional={
            "mode": choice("A table of the vendor's.", "production", "development"),
            **figures,
        },
    )


def _downtime() -> Schema:
    workload = text("A workload.", "deployment/harness-manager", pattern=WORKLOAD)
    return mapping(
        "What airgap-mirror down and up scale; without it, what is known of the application. "
        "Each as KIND/NAME, or KIND/NAME=PODS where it comes back with another number of pods "
        "than it had.",
        optional={
            "stop": several("Scaled to nothing; back as the last.", workload, unique=True),
            "first": several("Ready before the others come back.", workload, unique=True),
        },
    )


def _waits() -> Schema:
    return mapping(
        "How long KOTS may take.",
        optional={
            "waitDuration": text(
                "For a component to be ready, and for an application to be imported.",
                "1h15m",
                pattern=DURATION,
                default="30m",
            ),
            "preflightsWaitDuration": text(
                "For the preflight checks.", pattern=DURATION, default="15m"
            ),
        },
    )


def _variable(what: str, *examples: str) -> Schema:
    return text(f"The environment variable {what}", *examples, pattern=VARIABLE)
