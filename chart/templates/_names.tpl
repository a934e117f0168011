{{/* Names, labels, images. */}}

{{- define "vector-store.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* `fullnameOverride` has a default value; if it is empty, the name follows from the release's name as usual. */}}
{{- define "vector-store.fullname" -}}
{{- $name := include "vector-store.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "vector-store.workerName" -}}
{{- printf "%s-worker" (include "vector-store.fullname" . | trunc 56 | trimSuffix "-") }}
{{- end }}

{{/* The ConfigMap with LiteLLM's callback file. */}}
{{- define "vector-store.identityName" -}}
{{- printf "%s-identity" (include "vector-store.fullname" . | trunc 54 | trimSuffix "-") }}
{{- end }}

{{- define "vector-store.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "vector-store.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The service's URL within the cluster. NAME.NAMESPACE.svc resolves in any cluster domain. */}}
{{- define "vector-store.serviceUrl" -}}
{{- printf "http://%s.%s.svc:%v" (include "vector-store.fullname" .) .Release.Namespace .Values.service.port }}
{{- end }}

{{/* The pods of one component: (list $ "server"). Jobs and tests share the name label and must not get requests. */}}
{{- define "vector-store.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/name: {{ include "vector-store.name" $root }}
{{- end }}

{{/* All labels of an object: (list $ "server" $moreLabels…). Selector labels cannot be overwritten. */}}
{{- define "vector-store.labels" -}}
{{- $root := index . 0 }}
{{- $labels := merge (include "vector-store.selectorLabels" . | fromYaml) (dict
  "app.kubernetes.io/managed-by" $root.Release.Service
  "app.kubernetes.io/part-of" "litellm"
  "app.kubernetes.io/version" ($root.Values.image.tag | default $root.Chart.AppVersion | trunc 63 | trimSuffix "-")) }}
{{- $given := deepCopy $root.Values.commonLabels }}
{{- range slice . 2 }}
{{- $given = mergeOverwrite $given (default dict .) }}
{{- end }}
{{- toYaml (merge $labels $given) }}
{{- end }}

{{/* The metadata of an object: (dict "root" $ "component" "server"), and where they differ from the usual "name",
"namespace", "labels" and "annotations". */}}
{{- define "vector-store.metadata" -}}
{{- $chart := printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
name: {{ .name | default (include "vector-store.fullname" .root) }}
namespace: {{ .namespace | default .root.Release.Namespace }}
labels:
  {{- include "vector-store.labels" (list .root .component .labels (dict "helm.sh/chart" $chart)) | nindent 2 }}
{{- with mergeOverwrite (deepCopy .root.Values.commonAnnotations) (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "vector-store.image" -}}
{{- $image := .Values.image }}
{{- $registry := .Values.global.imageRegistry | default $image.registry }}
{{- $name := ternary (printf "%s/%s" $registry $image.repository) $image.repository (ne $registry "") }}
{{- if $image.digest }}
{{- printf "%s@%s" $name $image.digest }}
{{- else }}
{{- printf "%s:%s" $name ($image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "vector-store.imagePullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.image.pullSecrets | uniq }}
imagePullSecrets:
  {{- range . }}
  - name: {{ if kindIs "string" . }}{{ . }}{{ else }}{{ .name }}{{ end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A list or map from the values, evaluated as a template: (list $ $value). */}}
{{- define "vector-store.render" -}}
{{- tpl (toYaml (index . 1)) (index . 0) }}
{{- end }}

{{/* A value as text. Helm reads numbers as floating point and would write 1000000 as 1e+06. */}}
{{- define "vector-store.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}
{{- int64 . }}
{{- else }}
{{- . }}
{{- end }}
{{- end }}
