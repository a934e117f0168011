{{/* Shared by the pods of the server, the migration and the test. */}}

{{/* Null in a security context means that the cluster decides (OpenShift): such fields are left out. */}}
{{- define "vector-store.withoutNulls" -}}
{{- $kept := dict }}
{{- range $name, $value := . }}
{{- if not (kindIs "invalid" $value) }}
{{- $_ := set $kept $name $value }}
{{- end }}
{{- end }}
{{- toYaml $kept }}
{{- end }}

{{/* Without the variables of the namespace's services: a service called "database" would set DATABASE_PORT. */}}
{{- define "vector-store.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "vector-store.imagePullSecrets" . }}
securityContext:
  {{- include "vector-store.withoutNulls" .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.extraPodSpec }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "vector-store.container" -}}
image: {{ include "vector-store.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "vector-store.withoutNulls" .Values.securityContext | nindent 2 }}
{{- end }}

{{/* The constraints from the values: (list $ "server"). Each applies to the replicas of that component unless it has
its own `labelSelector`. */}}
{{- define "vector-store.topologySpread" -}}
{{- $selector := dict "matchLabels" (include "vector-store.selectorLabels" . | fromYaml) }}
{{- $constraints := list }}
{{- range (index . 0).Values.topologySpreadConstraints }}
{{- $constraint := deepCopy . }}
{{- if not (hasKey . "labelSelector") }}
{{- $constraint = merge $constraint (dict "labelSelector" $selector) (dict "matchLabelKeys" (list "pod-template-hash")) }}
{{- end }}
{{- $constraints = append $constraints $constraint }}
{{- end }}
{{- with $constraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "vector-store.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmp.sizeLimit }}
- name: data
{{- if eq .Values.database.mode "embedded" }}
  persistentVolumeClaim:
    claimName: {{ .Values.database.embedded.persistence.existingClaim | default (printf "%s-data" (include "vector-store.fullname" .)) }}
{{- else }}
  emptyDir:
    sizeLimit: 64Mi
{{- end }}
{{- with .Values.files.persistence }}
{{- if .enabled }}
- name: files
  persistentVolumeClaim:
    claimName: {{ .existingClaim | default (printf "%s-files" (include "vector-store.fullname" $)) }}
{{- end }}
{{- end }}
{{- include "vector-store.databaseTlsVolume" . }}
{{- with .Values.extraVolumes }}
{{ include "vector-store.render" (list $ .) }}
{{- end }}
{{- end }}

{{- define "vector-store.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
- name: data
  mountPath: /data
{{- if .Values.files.persistence.enabled }}
- name: files
  mountPath: /files
{{- end }}
{{- include "vector-store.databaseTlsMount" . }}
{{- with .Values.extraVolumeMounts }}
{{ include "vector-store.render" (list $ .) }}
{{- end }}
{{- end }}

{{- define "vector-store.databaseTlsVolume" -}}
{{- with include "vector-store.databaseTlsSecret" . }}
- name: database-tls
  secret:
    secretName: {{ . }}
    items:
      {{- range $key := include "vector-store.databaseCertificates" $ | fromYaml | values | sortAlpha }}
      - key: {{ $key | quote }}
        path: {{ $key | quote }}
      {{- end }}
{{- end }}
{{- end }}

{{- define "vector-store.databaseTlsMount" -}}
{{- if include "vector-store.databaseTlsSecret" . }}
- name: database-tls
  mountPath: /etc/vector-store/database
  readOnly: true
{{- end }}
{{- end }}
