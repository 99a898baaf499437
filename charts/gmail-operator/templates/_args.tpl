{{/* The flags of a part, as in (list . $part). */}}
{{- define "gmail-operator.args" -}}
{{- $part := index . 1 -}}
{{- with index . 0 -}}
{{- $publicUrl := .Values.publicUrl -}}
- run
{{- with $part.component }}
- {{ printf "--components=%s" . | quote }}
{{- end }}
{{- with .Values.publicUrl }}
- {{ printf "--public-url=%s" . | quote }}
{{- end }}
{{- if $part.serves }}
{{- with .Values.tlsSecret }}
{{- if not (hasPrefix "https://" $publicUrl) }}
{{- fail "tlsSecret needs a publicUrl that begins with https://: the operator ends TLS for that address, and does not start without one" }}
{{- end }}
- {{ printf "--tls-secret=%s" . | quote }}
{{- end }}
{{- range .Values.trustedProxies }}
- {{ printf "--trusted-proxies=%s" . | quote }}
{{- end }}
{{- end }}
{{- with .Values.clusterName }}
- {{ printf "--cluster-name=%s" . | quote }}
{{- end }}
{{- range .Values.watchNamespaces }}
- {{ printf "--watch-namespace=%s" . | quote }}
{{- end }}
{{- if not .Values.rbac.clusterWide }}
- --roles-only
{{- end }}
{{- range .Values.allowEndpoints }}
- {{ printf "--allow-endpoint=%s" . | quote }}
{{- end }}
{{- range .Values.allowCidrs }}
- {{ printf "--allow-cidr=%s" . | quote }}
{{- end }}
- {{ printf "--log-format=%s" .Values.logFormat | quote }}
- {{ printf "--log-level=%s" .Values.logLevel | quote }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}
