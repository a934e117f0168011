{{/* The proxy. */}}

{{/* The service name that the `litellm-helm` chart chooses: the release's name if it contains "litellm", else
RELEASE-litellm. */}}
{{- define "vector-store.litellmUrl" -}}
{{- with .Values.litellm }}
{{- if .url }}
{{- tpl .url $ | trimSuffix "/" }}
{{- else }}
{{- $service := ternary .release (printf "%s-litellm" .release) (contains "litellm" .release) | trunc 63 | trimSuffix "-" }}
{{- printf "http://%s.%s.svc:%v" $service (include "vector-store.litellmNamespace" $) .port }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vector-store.litellmNamespace" -}}
{{- .Values.litellm.namespace | default .Release.Namespace }}
{{- end }}

{{/* The port of a URL, or the default port of its scheme. */}}
{{- define "vector-store.urlPort" -}}
{{- $url := urlParse . }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" }}
{{- $port | default (ternary "443" "80" (eq $url.scheme "https")) }}
{{- end }}
