{{/* The proxies of a part, as JSON, as in (list . $part): what the variable is called, and the URL. */}}
{{- define "gmail-operator.proxies" -}}
{{- $part := index . 1 -}}
{{- $proxies := list -}}
{{- with (index . 0).Values.proxy -}}
{{- with .https }}{{ $proxies = append $proxies (dict "name" "HTTPS_PROXY" "url" .) }}{{ end -}}
{{- if $part.controls -}}
{{- with .mail }}{{ $proxies = append $proxies (dict "name" "MAIL_PROXY" "url" .) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $proxies | toJson -}}
{{- end -}}

{{/* The same in a container's environment. */}}
{{- define "gmail-operator.proxy-env" -}}
{{- $proxy := (index . 0).Values.proxy | default dict -}}
{{- if and $proxy.secret (not (or $proxy.https $proxy.mail)) -}}
{{- fail "proxy.secret needs proxy.https or proxy.mail: the proxies without name and password, for the NetworkPolicy" -}}
{{- end -}}
{{- range include "gmail-operator.proxies" . | fromJsonArray }}
- name: {{ .name }}
  {{- if $proxy.secret }}
  valueFrom:
    secretKeyRef:
      name: {{ $proxy.secret }}
      key: {{ .name }}
  {{- else }}
  value: {{ .url | quote }}
  {{- end }}
{{- end }}
{{- with $proxy.noProxy }}
- name: NO_PROXY
  value: {{ join "," . | quote }}
{{- end }}
{{- end -}}

{{/* What is in the environment beside the Pod's own names, as in (list . $part). The API server refuses a name that is there twice. */}}
{{- define "gmail-operator.more-env" -}}
{{- $env := concat (include "gmail-operator.proxy-env" . | fromYamlArray) ((index . 0).Values.extraEnv | default list) -}}
{{- $names := list -}}
{{- range $env -}}
{{- if has .name $names -}}
{{- fail (printf "extraEnv: %s is set twice, there or by proxy.https, proxy.mail and proxy.noProxy: leave one of the two out" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- toYaml $env -}}
{{- end -}}
