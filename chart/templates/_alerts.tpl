{{/* Alerts for this release only. Every replica reports the same gauges of the database's state, so one of
them is enough. */}}

{{- define "vector-store.alerts" -}}
{{- $server := printf "namespace=%q,job=%q" .Release.Namespace (include "vector-store.fullname" .) }}
{{- $of := $server }}
{{- if .Values.worker.replicas }}
{{- $of = printf "namespace=%q,job=~%q" .Release.Namespace (printf "%s|%s" (include "vector-store.fullname" .) (include "vector-store.workerName" .)) }}
{{- end }}
{{- $by := "namespace, job" }}
{{- /* Without probes: they say little about clients, and are most of the requests of a quiet server. */}}
{{- $requests := printf "%s,route!~%q" $of "/(livez|readyz|health|metrics)" }}
{{- $limit := .Values.prometheusRule.thresholds }}
- alert: VectorStoreDown
  expr: sum by ({{ $by }}) (up{ {{- $server -}} }) == 0 or absent(up{ {{- $server -}} })
  for: 5m
  labels:
    severity: critical
  annotations:
    summary: No replica of the vector store answers
    description: Prometheus has not reached any replica for 5 minutes. Searches and answers with sources fail.
- alert: VectorStoreDatabaseDown
  expr: max by ({{ $by }}) (vector_store_database_up{ {{- $of -}} }) == 0
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: The vector store cannot reach its database
    description: No replica has reached the database for 2 minutes, so no replica is ready. Run "vector-store doctor" in a pod to see why.
- alert: VectorStoreErrors
  expr: |-
    sum by ({{ $by }}) (rate(vector_store_http_requests_total{ {{- $requests -}} ,status=~"5.."}[5m]))
      / sum by ({{ $by }}) (rate(vector_store_http_requests_total{ {{- $requests -}} }[5m])) > {{ $limit.errorRatio }}
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: The vector store fails {{ "{{ $value | humanizePercentage }}" }} of its requests
    description: For 10 minutes, more requests than the threshold have failed with a 5xx. The log has each one with its request id.
- alert: VectorStoreSearchSlow
  expr: |-
    histogram_quantile(0.95, sum by ({{ $by }}, le) (rate(vector_store_search_duration_seconds_bucket{ {{- $of -}} }[5m]))) > {{ $limit.searchSeconds }}
  for: 15m
  labels:
    severity: warning
  annotations:
    summary: One search in twenty takes more than {{ "{{ $value | humanizeDuration }}" }}
    description: The row "Search" of the dashboard shows whether the database, the model or the server itself takes the time.
- alert: VectorStorePoolExhausted
  expr: |-
    histogram_quantile(0.95, sum by ({{ $by }}, le) (rate(vector_store_db_pool_wait_seconds_bucket{ {{- $of -}} }[5m]))) > {{ $limit.poolWaitSeconds }}
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: Requests wait {{ "{{ $value | humanizeDuration }}" }} for a database connection
    description: All connections are busy; requests that wait too long get 503 pool_exhausted. Look for slow statements, then raise database.poolSize or add replicas.
- alert: VectorStoreProviderErrors
  expr: |-
    sum by ({{ $by }}, operation) (rate(vector_store_provider_errors_total{ {{- $of -}} }[5m]))
      / sum by ({{ $by }}, operation) (rate(vector_store_provider_request_duration_seconds_count{ {{- $of -}} }[5m])) > {{ $limit.providerErrorRatio }}
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: '{{ "{{ $value | humanizePercentage }}" }} of the calls for {{ "{{ $labels.operation }}" }} through LiteLLM fail'
    description: Searches need embeddings, so they may fail too. The row "Models" of the dashboard shows the reasons.
- alert: VectorStoreProviderBreakerOpen
  expr: max by ({{ $by }}) (vector_store_provider_breaker_open{ {{- $of -}} }) > 0
  for: 5m
  labels:
    severity: warning
  annotations:
    summary: The vector store has stopped calling LiteLLM for embeddings
    description: Too many calls failed in a row; it retries automatically. Until then, searches that need an embedding fail at once and files wait.
- alert: VectorStoreIngestStalled
  expr: max by ({{ $by }}) (vector_store_ingest_queue_oldest_seconds{ {{- $of -}} }) > {{ $limit.queueSeconds }}
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: A file has waited {{ "{{ $value | humanizeDuration }}" }} for ingestion
    description: Either files arrive faster than they are read (add replicas or workers, or raise files.ingestConcurrency), or none is read.
- alert: VectorStoreIngestFailures
  expr: |-
    sum by ({{ $by }}) (increase(vector_store_ingested_files_total{ {{- $of -}} ,outcome="failed"}[1h]))
      / sum by ({{ $by }}) (increase(vector_store_ingested_files_total{ {{- $of -}} ,outcome=~"completed|failed"}[1h])) > {{ $limit.ingestFailureRatio }}
  for: 15m
  labels:
    severity: warning
  annotations:
    summary: '{{ "{{ $value | humanizePercentage }}" }} of the files of the last hour could not be ingested'
    description: The reason is in each file's last_error.
- alert: VectorStoreRecallLow
  expr: min by ({{ $by }}) (vector_store_recall_probe_ratio{ {{- $of -}} ,statistic="mean"}) < {{ $limit.recall }}
  for: 1h
  labels:
    severity: warning
  annotations:
    summary: The indexes find {{ "{{ $value | humanizePercentage }}" }} of what exact searches find
    description: 'Run "vector-store reindex --all" to rebuild them. Until then, searches with recall "exact" do not use the indexes.'
- alert: VectorStoreEventLoopBlocked
  expr: max by ({{ $by }}, pod) (nodejs_eventloop_lag_p99_seconds{ {{- $of -}} }) > 0.5
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: The event loop of {{ "{{ $labels.pod }}" }} is blocked
    description: Requests wait {{ "{{ $value | humanizeDuration }}" }} for the process. It has too little CPU or too many requests; add replicas.
{{- end }}
