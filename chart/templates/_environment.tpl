{{/* The program's settings. */}}

{{/* Settings that are not secret, as a map from name to text. Empty values are left to the program's default. */}}
{{- define "vector-store.settings" -}}
{{- $values := .Values }}
{{- $settings := dict
  "LOG_LEVEL" $values.logLevel
  "API_URL" ($values.apiUrl | default (include "vector-store.serviceUrl" .))
  "UNKNOWN_FIELDS" $values.unknownFields
  "ADMIN_PAGE" (ternary "on" "off" $values.admin.enabled)
  "ADMIN_BASE_PATH" $values.admin.basePath
  "SESSION_HOURS" $values.admin.sessionHours
  "TRUSTED_PROXIES" (join "," $values.admin.trustedProxies)
  "EMBEDDING__MODEL" $values.models.embedding.name
  "EMBEDDING__DIMENSIONS" $values.models.embedding.dimensions
  "CHAT_MODEL" $values.models.chat
  "RERANK_MODEL" $values.models.rerank
  "VISION_MODEL" $values.models.vision
  "PDF_VISION" $values.models.pdfVision
  "INGEST_CONCURRENCY" $values.files.ingestConcurrency
  "MAX_FILE_MB" $values.files.maxFileMb
  "MAX_TEXT_MB" $values.files.maxTextMb
  "MAX_TEXT_RATIO" $values.files.maxTextRatio
  "MAX_CHUNKS" $values.files.maxChunks
  "CHUNK_SIZE_TOKENS" $values.files.chunkSizeTokens
  "CHUNK_OVERLAP_TOKENS" $values.files.chunkOverlapTokens
  "INDEX_MIN_ROWS" $values.indexes.minRows
  "INDEX_BUILD_MEMORY_MB" $values.indexes.buildMemoryMb
  "HNSW_M" $values.indexes.hnswM
  "HNSW_EF_CONSTRUCTION" $values.indexes.hnswEfConstruction
  "RECALL_PROBE_MINUTES" $values.indexes.recallProbeMinutes
  "SHUTDOWN_DELAY_SECONDS" $values.shutdown.delaySeconds
  "SHUTDOWN_DRAIN_SECONDS" $values.shutdown.drainSeconds }}
{{- if $values.litellm.enabled }}
{{- $_ := set $settings "LITELLM_PROXY_URL" (include "vector-store.litellmUrl" .) }}
{{- end }}
{{- if $values.files.persistence.enabled }}
{{- $_ := set $settings "FILES_DIR" "/files" }}
{{- end }}
{{- $settings = mergeOverwrite $settings (include "vector-store.databaseSettings" . | fromYaml) (include "vector-store.tracingSettings" . | fromYaml) }}
{{- $settings = mergeOverwrite $settings (deepCopy $values.config) }}
{{- range $name, $value := $settings }}
{{- $text := include "vector-store.text" $value }}
{{- if and (not (kindIs "invalid" $value)) (ne $text "") }}
{{ $name }}: {{ $text | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vector-store.tracingSettings" -}}
{{- with .Values.tracing }}
{{- if .enabled }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .endpoint | quote }}
OTEL_SERVICE_NAME: {{ .serviceName | default (include "vector-store.fullname" $) | quote }}
OTEL_TRACES_SAMPLER: {{ .sampler | quote }}
OTEL_TRACES_SAMPLER_ARG: {{ .samplerArg | toString | quote }}
{{- $attributes := list }}
{{- range $name, $value := .resourceAttributes }}
{{- $attributes = append $attributes (printf "%s=%s" $name (include "vector-store.text" $value | urlquery | replace "+" "%20")) }}
{{- end }}
{{- with $attributes }}
OTEL_RESOURCE_ATTRIBUTES: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where clients find the key that opens the server, as {secret, key}: its own, or LiteLLM's master key. */}}
{{- define "vector-store.clientKey" -}}
{{- if .Values.auth.existingSecret }}
{{- dict "secret" .Values.auth.existingSecret "key" .Values.auth.apiKeyKey | toYaml }}
{{- else }}
{{- dict "secret" .Values.litellm.masterKey.existingSecret "key" .Values.litellm.masterKey.key | toYaml }}
{{- end }}
{{- end }}

{{/* The server's environment variables from secrets, and from `extraEnv`. */}}
{{- define "vector-store.env" -}}
{{- include "vector-store.databaseEnv" . }}
{{- with .Values.auth }}
{{- if .existingSecret }}
{{ include "vector-store.secretKeyRef" (list "SERVER_API_KEY" .existingSecret .apiKeyKey) }}
{{- end }}
{{- end }}
{{- with .Values.litellm }}
{{- if and .enabled .masterKey.existingSecret }}
{{ include "vector-store.secretKeyRef" (list "LITELLM_MASTER_KEY" .masterKey.existingSecret .masterKey.key) }}
{{- end }}
{{- if .identity.enabled }}
{{ include "vector-store.secretKeyRef" (list "LITELLM_IDENTITY_SECRET" .identity.existingSecret .identity.key) }}
{{- end }}
{{- end }}
{{- with .Values.models.embedding.apiKey }}
{{- if .existingSecret }}
{{ include "vector-store.secretKeyRef" (list "EMBEDDING__API_KEY" .existingSecret .key) }}
{{- end }}
{{- end }}
{{- with .Values.tracing }}
{{- if and .enabled .headers.existingSecret }}
{{ include "vector-store.secretKeyRef" (list "OTEL_EXPORTER_OTLP_HEADERS" .headers.existingSecret .headers.key) }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ include "vector-store.render" (list $ .) }}
{{- end }}
{{- end }}
