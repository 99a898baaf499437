{{/*
The Deployments, as a JSON list: one that does everything or, with web.separate, two, each under a ServiceAccount of its
own. What each is called, what it does, and its size.
*/}}
{{- define "gmail-operator.parts" -}}
{{- if .Values.web.separate -}}
{{- $controller := dict "component" "controller" "controls" true "serves" false "replicas" .Values.replicas "resources" .Values.resources -}}
{{- $web := dict "component" "web" "controls" false "serves" true "replicas" .Values.web.replicas "resources" .Values.web.resources -}}
{{- range $part := list $controller $web -}}
{{- $_ := set $part "name" (include "gmail-operator.name-with" (list $ $part.component)) -}}
{{- $_ := set $part "watched" (include "gmail-operator.name-with" (list $ (printf "%s-watched" $part.component))) -}}
{{- end -}}
{{- list $controller $web | toJson -}}
{{- else -}}
{{- $all := dict "component" "" "controls" true "serves" true "replicas" .Values.replicas "resources" .Values.resources -}}
{{- $_ := set $all "name" (include "gmail-operator.name" .) -}}
{{- $_ := set $all "watched" (include "gmail-operator.name-with" (list . "watched")) -}}
{{- list $all | toJson -}}
{{- end -}}
{{- end -}}

{{/* By which a part's pods are found, as in (list . $part). */}}
{{- define "gmail-operator.part-selector" -}}
{{ include "gmail-operator.selector" (index . 0) }}
{{- with (index . 1).component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "gmail-operator.part-labels" -}}
{{ include "gmail-operator.labels" (index . 0) }}
{{- with (index . 1).component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* By which the pods that serve the sign-in page are found. */}}
{{- define "gmail-operator.page-selector" -}}
{{ include "gmail-operator.selector" . }}
{{- if .Values.web.separate }}
app.kubernetes.io/component: web
{{- end }}
{{- end -}}

{{/* What the API server calls the operator, in the words of CEL. */}}
{{- define "gmail-operator.users" -}}
{{- $users := list -}}
{{- range $part := include "gmail-operator.parts" . | fromJsonArray -}}
{{- $users = append $users (printf "'system:serviceaccount:%s:%s'" $.Release.Namespace $part.name) -}}
{{- end -}}
{{- join ", " $users -}}
{{- end -}}
