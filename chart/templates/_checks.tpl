{{/* Checks that the schema cannot express, or not with a helpful message. */}}

{{- define "vector-store.checks" -}}
{{- $values := .Values }}
{{- $database := $values.database }}
{{- if and (not $values.auth.existingSecret) (not (and $values.litellm.enabled $values.litellm.masterKey.existingSecret)) }}
{{- fail (printf "auth.existingSecret is empty. Name the Secret that holds the API key for clients, under the key \"%s\", or in litellm.masterKey the Secret with LiteLLM's master key, which then opens the server; the chart creates none." $values.auth.apiKeyKey) }}
{{- end }}
{{- if and $values.litellm.enabled (not $values.litellm.url) (not $values.litellm.release) }}
{{- fail "litellm.url and litellm.release are both empty. Set one of them, or litellm.enabled=false." }}
{{- end }}
{{- if and $values.litellm.identity.enabled (not (and $values.litellm.enabled $values.litellm.identity.existingSecret)) }}
{{- fail (printf "litellm.identity.enabled needs litellm.enabled, and in litellm.identity.existingSecret the Secret that holds the secret for signing, under the key \"%s\"." $values.litellm.identity.key) }}
{{- end }}
{{- include "vector-store.checkDatabase" . }}
{{- include "vector-store.checkScaling" . }}
{{- include "vector-store.checkConfig" . }}
{{- if and $values.tracing.enabled (not $values.tracing.endpoint) }}
{{- fail "tracing.enabled needs tracing.endpoint, for example http://otel-collector.monitoring.svc:4318." }}
{{- end }}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) (not (and $values.admin.enabled $values.admin.host)) }}
{{- fail "ingress.enabled needs ingress.hosts, for example [{host: vectors.example.com}]." }}
{{- end }}
{{- if and $values.httpRoute.enabled (not $values.httpRoute.parentRefs) }}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs, for example [{name: gateway, namespace: gateways, sectionName: https}]." }}
{{- end }}
{{- if and $values.httpRoute.httpsRedirect.enabled (not $values.httpRoute.httpsRedirect.parentRefs) }}
{{- fail "httpRoute.httpsRedirect.enabled needs httpRoute.httpsRedirect.parentRefs, with the sectionName of the HTTP listener." }}
{{- end }}
{{- end }}

{{- define "vector-store.checkDatabase" -}}
{{- $database := .Values.database }}
{{- with $database.external }}
{{- if eq $database.mode "external" }}
{{- if not .existingSecret }}
{{- fail "database.external.existingSecret is empty. Name the Secret with the database's user and password (usernameKey, passwordKey), or with a URL (urlKey)." }}
{{- end }}
{{- if and (not .urlKey) (not .host) (not .hostKey) }}
{{- fail "database.external.host is empty. Set the database's host, or hostKey or urlKey if it is in the Secret." }}
{{- end }}
{{- if and .urlKey $database.parameters }}
{{- fail "database.parameters are not used with database.external.urlKey. Write them into the URL, after its ?." }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $database.tls.existingSecret (ne (empty $database.tls.certKey) (empty $database.tls.keyKey)) }}
{{- fail "database.tls.certKey and database.tls.keyKey belong together. Set both or neither." }}
{{- end }}
{{- with .Values.migrationJob }}
{{- if and .enabled (eq $database.mode "embedded") }}
{{- fail "migrationJob.enabled is not for database.mode=embedded, which only one process can open. The server migrates when it starts." }}
{{- end }}
{{- if and .enabled (not .hooks.helm.enabled) (not .hooks.argocd.enabled) }}
{{- fail "migrationJob needs one of migrationJob.hooks.helm.enabled and migrationJob.hooks.argocd.enabled: a Job that is not a hook cannot be upgraded." }}
{{- end }}
{{- if and .enabled .database.existingSecret (eq $database.mode "external") (ne (empty .database.urlKey) (empty $database.external.urlKey)) }}
{{- fail "migrationJob.database.urlKey and database.external.urlKey belong together. Set both or neither." }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vector-store.checkScaling" -}}
{{- with .Values.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail (printf "autoscaling.minReplicas is %v and must not exceed autoscaling.maxReplicas, which is %v." .minReplicas .maxReplicas) }}
{{- end }}
{{- if and .enabled (not .targetCPUUtilizationPercentage) (not .targetMemoryUtilizationPercentage) (not .metrics) }}
{{- fail "autoscaling.enabled needs a metric: targetCPUUtilizationPercentage, targetMemoryUtilizationPercentage or metrics." }}
{{- end }}
{{- end }}
{{- $several := or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) (gt (int .Values.worker.replicas) 0) }}
{{- with .Values.files.persistence }}
{{- if and .enabled $several (not .existingClaim) (not (has "ReadWriteMany" .accessModes)) }}
{{- fail "files.persistence.accessModes must include ReadWriteMany with several replicas: all of them read the same files." }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vector-store.checkConfig" -}}
{{- range $name := keys .Values.config | sortAlpha }}
{{- if or (has $name (list "DATABASE_URL" "LITELLM_MASTER_KEY" "OTEL_EXPORTER_OTLP_HEADERS")) (regexMatch "(_API_KEY|PASSWORD|SECRET|_TOKEN)$" $name) }}
{{- fail (printf "config.%s is a secret, and config becomes a ConfigMap. Name its Secret in auth, litellm, models or database, or in extraEnv with valueFrom.secretKeyRef." $name) }}
{{- end }}
{{- if has $name (list "PORT" "DATA_DIR" "FILES_DIR") }}
{{- fail (printf "config.%s is set by the chart: probes, service and volumes depend on it." $name) }}
{{- end }}
{{- end }}
{{- end }}
