{{/* How the program finds its database. User, password and URL always come from a secret; no URL is put together here,
because a password may contain any character. */}}

{{- define "vector-store.secretKeyRef" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end }}

{{/* The secret with the database owner's user and password in mode `cnpg`. The operator creates one
unless it is given one. */}}
{{- define "vector-store.cnpgSecret" -}}
{{- with .Values.database.cnpg }}
{{- .existingSecret | default (printf "%s-app" .clusterName) }}
{{- end }}
{{- end }}

{{/* Environment variables from secrets. */}}
{{- define "vector-store.databaseEnv" -}}
{{- $external := .Values.database.external }}
{{- if eq .Values.database.mode "cnpg" }}
{{- $secret := include "vector-store.cnpgSecret" . }}
{{- if not .Values.database.cnpg.existingSecret }}
{{ include "vector-store.secretKeyRef" (list "DATABASE_HOST" $secret "host") }}
{{ include "vector-store.secretKeyRef" (list "DATABASE_PORT" $secret "port") }}
{{ include "vector-store.secretKeyRef" (list "DATABASE_NAME" $secret "dbname") }}
{{- end }}
{{ include "vector-store.secretKeyRef" (list "DATABASE_USER" $secret "username") }}
{{ include "vector-store.secretKeyRef" (list "DATABASE_PASSWORD" $secret "password") }}
{{- else if and (eq .Values.database.mode "external") $external.urlKey }}
{{ include "vector-store.secretKeyRef" (list "DATABASE_URL" $external.existingSecret $external.urlKey) }}
{{- else if eq .Values.database.mode "external" }}
{{- range $name, $key := dict "DATABASE_HOST" $external.hostKey "DATABASE_NAME" $external.nameKey "DATABASE_PORT" $external.portKey }}
{{- if $key }}
{{ include "vector-store.secretKeyRef" (list $name $external.existingSecret $key) }}
{{- end }}
{{- end }}
{{ include "vector-store.secretKeyRef" (list "DATABASE_USER" $external.existingSecret $external.usernameKey) }}
{{ include "vector-store.secretKeyRef" (list "DATABASE_PASSWORD" $external.existingSecret $external.passwordKey) }}
{{- end }}
{{- end }}

{{/* Environment variables that are not secret, as a map. */}}
{{- define "vector-store.databaseSettings" -}}
{{- $database := .Values.database }}
{{- $external := $database.external }}
{{- if ne $database.mode "embedded" }}
DATABASE_POOL_SIZE: {{ $database.poolSize }}
DATABASE_START_TIMEOUT_SECONDS: {{ $database.startTimeoutSeconds }}
{{- with include "vector-store.databaseParameters" . }}
DATABASE_PARAMETERS: {{ . | quote }}
{{- end }}
{{- end }}
{{- if and (eq $database.mode "cnpg") $database.cnpg.existingSecret }}
DATABASE_HOST: {{ printf "%s-rw" $database.cnpg.clusterName }}
DATABASE_PORT: 5432
DATABASE_NAME: {{ $database.name | quote }}
{{- else if and (eq $database.mode "external") (not $external.urlKey) }}
{{- if not $external.hostKey }}
DATABASE_HOST: {{ $external.host | quote }}
{{- end }}
{{- if not $external.portKey }}
DATABASE_PORT: {{ $external.port }}
{{- end }}
{{- if not $external.nameKey }}
DATABASE_NAME: {{ $database.name | quote }}
{{- end }}
{{- end }}
{{- range $name, $file := include "vector-store.databaseCertificates" . | fromYaml }}
{{ $name }}: {{ printf "/etc/vector-store/database/%s" $file }}
{{- end }}
{{- end }}

{{- define "vector-store.databaseParameters" -}}
{{- $parameters := list }}
{{- range $name, $value := .Values.database.parameters }}
{{- $parameters = append $parameters (printf "%s=%s" (urlquery $name) (include "vector-store.text" $value | urlquery)) }}
{{- end }}
{{- join "&" $parameters }}
{{- end }}

{{/* The secret with certificates, if any. */}}
{{- define "vector-store.databaseTlsSecret" -}}
{{- $database := .Values.database }}
{{- if ne $database.mode "embedded" }}
{{- if $database.tls.existingSecret }}
{{- $database.tls.existingSecret }}
{{- else if and (eq $database.mode "cnpg") $database.cnpg.verifyServer }}
{{- printf "%s-ca" $database.cnpg.clusterName }}
{{- end }}
{{- end }}
{{- end }}

{{/* Setting → key of that secret. The operator's secret also holds the CA's private key, which is not mounted. */}}
{{- define "vector-store.databaseCertificates" -}}
{{- with .Values.database.tls }}
{{- if .existingSecret }}
{{- range $name, $key := dict "DATABASE_SSL_CA" .caKey "DATABASE_SSL_CERT" .certKey "DATABASE_SSL_KEY" .keyKey }}
{{- if $key }}
{{ $name }}: {{ $key | quote }}
{{- end }}
{{- end }}
{{- else if include "vector-store.databaseTlsSecret" $ }}
DATABASE_SSL_CA: ca.crt
{{- end }}
{{- end }}
{{- end }}
