{{/* What a part may do in every namespace that it looks after. The context is the part. */}}
{{- define "gmail-operator.rules" -}}
# get: the sign-in page reads the one Mailbox that a link names; and a grant is deleted only after a last look at whether
# its Mailbox is really gone. list, watch: the controller looks after them wherever they are.
- apiGroups: [gmail-operator.dev]
  resources: [mailboxes]
  verbs:
    - get
    {{- if .controls }}
    - list
    - watch
    {{- end }}
# get: the sign-in page reads the profile that serves the Mailbox.
- apiGroups: [gmail-operator.dev]
  resources: [gmailserverprofiles]
  verbs:
    {{- if .serves }}
    - get
    {{- end }}
    {{- if .controls }}
    - list
    - watch
    {{- end }}
# The controller reports there; so does the sign-in page, when a sign-in was refused. Both apply, which is a patch.
# Their specs are people's: the operator cannot change them.
- apiGroups: [gmail-operator.dev]
  resources:
    - mailboxes/status
    {{- if .controls }}
    - gmailserverprofiles/status
    {{- end }}
  verbs: [patch]
# get: a profile names the Secret with its OAuth client, in the profile's namespace, which may be any; it is read by
# that name. Without list and watch, the operator cannot go through the Secrets of others.
# create, update: a Mailbox's accessTokenSecret, beside the Mailbox, at the sign-in and at each renewal; and once more
# to take the token out of it, when the workload may not have it any more.
# delete: one that the Mailbox does not name any more.
# RBAC cannot say which name may be written. admission-policy.yaml narrows the writing down to Secrets that belong to a
# Mailbox.
- apiGroups: [""]
  resources: [secrets]
  verbs:
    - get
    {{- if .controls }}
    - create
    - update
    - delete
    {{- end }}
{{- if .controls }}
# An Event is written beside the Mailbox or profile that it is about. patch: one that happens again is counted up.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
{{- end -}}

{{/* What a part may do in the operator's own namespace alone, beside the `get` of Secrets. The context is the part. */}}
{{- define "gmail-operator.own-rules" -}}
# The grants: what Google gave when somebody signed in. They are here and not beside the Mailbox because the built-in
# role `edit` reads every Secret of a tenant's namespace.
# list: a restart finds all grants again, and a sign-in those of the same account. watch: a sign-in wakes the controller.
# create: by a first sign-in, and for a Mailbox that comes back; also the key that seals the cookies of the sign-in page.
# update: by every renewal, and by what the owner asks for on the page. delete: when the Mailbox is gone, and when the
# owner says that an account stays where it is.
# admission-policy.yaml narrows the writing down to Secrets of the operator's own types.
- apiGroups: [""]
  resources: [secrets]
  verbs:
    - list
    {{- if .controls }}
    - watch
    {{- end }}
    - create
    - update
    - delete
{{- if .controls }}
# Replicas agree by a Lease which of them acts. RBAC cannot say which name may be created.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
# get: whose it is. update: taking it, keeping it, and giving it back at the end. Never another program's.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [gmail-operator]
  verbs: [get, update]
{{- end }}
{{- end -}}
