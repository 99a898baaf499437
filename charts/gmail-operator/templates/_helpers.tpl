{{/* The name of every object: the release's, with the chart's in it. */}}
{{- define "gmail-operator.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* The same with "-" and a suffix, as in (list . "metrics"), in the 63 characters that a Service's name may have. */}}
{{- define "gmail-operator.name-with" -}}
{{- $suffix := printf "-%s" (index . 1) -}}
{{- $room := int (sub 63 (len $suffix)) -}}
{{ include "gmail-operator.name" (index . 0) | trunc $room | trimSuffix "-" }}{{ $suffix }}
{{- end -}}

{{- define "gmail-operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gmail-operator.labels" -}}
{{ include "gmail-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "gmail-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* publicUrl's host for what needs one, as in (list . "ingress.enabled"): in lower case, as Kubernetes wants it. */}}
{{- define "gmail-operator.public-host" -}}
{{- $url := required (printf "%s needs publicUrl: the address that browsers use" (index . 1)) (index . 0).Values.publicUrl -}}
{{- (urlParse $url).hostname | lower -}}
{{- end -}}

{{- define "gmail-operator.public-path" -}}
{{- (urlParse .Values.publicUrl).path | default "/" -}}
{{- end -}}

{{/* The Pod of helm test, which has none of the operator's own labels: Services and policies choose by those. */}}
{{- define "gmail-operator.test-selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gmail-operator.test-peer" -}}
- podSelector:
    matchLabels:
      {{- include "gmail-operator.test-selector" . | nindent 6 }}
{{- end -}}

{{/* The port at the end of HOST:PORT or of a URL without a path. */}}
{{- define "gmail-operator.port" -}}
{{- trimSuffix "/" . | regexFind "[1-9][0-9]*$" -}}
{{- end -}}
