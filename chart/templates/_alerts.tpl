{{/* The alerts, each about this release alone. Gauges of the database's state are the same in all replicas, so one of them speaks. */}}

{{- define "vector-store.alerts" -}}
{{- $of := printf "namespace=%q,job=%q" .Release.Namespace (include "vector-store.fullname" .) }}
{{- $by := "namespace, job" }}
{{- /* Probes say little about callers, and are most of the requests of a quiet server. */}}
{{- $requests := printf "%s,route!~%q" $of "/(livez|readyz|health|metrics)" }}
{{- $limit := .Values.prometheusRule.thresholds }}
- alert: VectorStoreDown
  expr: sum by ({{ $by }}) (up{ {{- $of -}} }) == 0 or absent(up{ {{- $of -}} })
  for: 5m
  labels:
    severity: critical
  annotations:
    summary: No replica of the vector store answers
    description: Prometheus has reached no replica for 5 minutes. Searches and answers with sources fail.
- alert: VectorStoreDatabaseDown
  expr: max by ({{ $by }}) (vector_store_database_up{ {{- $of -}} }) == 0
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: The vector store has no database
    description: No replica has reached the database for 2 minutes, so none is ready. "vector-store doctor" in a pod says why.
- alert: VectorStoreErrors
  expr: |-
    sum by ({{ $by }}) (rate(vector_store_http_requests_total{ {{- $requests -}} ,status=~"5.."}[5m]))
      / sum by ({{ $by }}) (rate(vector_store_http_requests_total{ {{- $requests -}} }[5m])) > {{ $limit.errorRatio }}
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: The vector store fails {{ "{{ $value | humanizePercentage }}" }} of its requests
    description: More requests than allowed have been answered with a 5xx for 10 minutes. The log has each with its request id.
- alert: VectorStoreSearchSlow
  expr: |-
    histogram_quantile(0.95, sum by ({{ $by }}, le) (rate(vector_store_search_duration_seconds_bucket{ {{- $of -}} }[5m]))) > {{ $limit.searchSeconds }}
  for: 15m
  labels:
    severity: warning
  annotations:
    summary: One search in twenty takes more than {{ "{{ $value | humanizeDuration }}" }}
    description: The dashboard's row "Search" says whether the time goes to the database, to the model or to the server itself.
- alert: VectorStorePoolExhausted
  expr: |-
    histogram_quantile(0.95, sum by ({{ $by }}, le) (rate(vector_store_db_pool_wait_seconds_bucket{ {{- $of -}} }[5m]))) > {{ $limit.poolWaitSeconds }}
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: Requests wait {{ "{{ $value | humanizeDuration }}" }} for a database connection
    description: All connections are busy. Look for slow statements; then raise database.poolSize or the number of replicas.
- alert: VectorStoreProviderErrors
  expr: |-
    sum by ({{ $by }}, operation) (rate(vector_store_provider_errors_total{ {{- $of -}} }[5m]))
      / sum by ({{ $by }}, operation) (rate(vector_store_provider_request_duration_seconds_count{ {{- $of -}} }[5m])) > {{ $limit.providerErrorRatio }}
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: '{{ "{{ $value | humanizePercentage }}" }} of the calls for {{ "{{ $labels.operation }}" }} through LiteLLM fail'
    description: Searches need embeddings, so they may fail too. The dashboard's row "Models" has the reasons.
- alert: VectorStoreProviderBreakerOpen
  expr: max by ({{ $by }}) (vector_store_provider_breaker_open{ {{- $of -}} }) > 0
  for: 5m
  labels:
    severity: warning
  annotations:
    summary: The vector store has stopped asking LiteLLM for embeddings
    description: Too many calls failed in a row; it tries again by itself. Until then, searches by meaning are refused at once and files wait.
- alert: VectorStoreIngestStalled
  expr: max by ({{ $by }}) (vector_store_ingest_queue_oldest_seconds{ {{- $of -}} }) > {{ $limit.queueSeconds }}
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: A file has waited {{ "{{ $value | humanizeDuration }}" }} for its ingestion
    description: Files arrive faster than they are read, or none is read. More replicas or files.ingestConcurrency help with the first.
- alert: VectorStoreIngestFailures
  expr: |-
    sum by ({{ $by }}) (increase(vector_store_ingested_files_total{ {{- $of -}} ,outcome="failed"}[1h]))
      / sum by ({{ $by }}) (increase(vector_store_ingested_files_total{ {{- $of -}} ,outcome=~"completed|failed"}[1h])) > {{ $limit.ingestFailureRatio }}
  for: 15m
  labels:
    severity: warning
  annotations:
    summary: '{{ "{{ $value | humanizePercentage }}" }} of the files of the last hour could not be ingested'
    description: Each file's last_error has the reason.
- alert: VectorStoreRecallLow
  expr: min by ({{ $by }}) (vector_store_recall_probe_ratio{ {{- $of -}} ,statistic="mean"}) < {{ $limit.recall }}
  for: 1h
  labels:
    severity: warning
  annotations:
    summary: The indexes find {{ "{{ $value | humanizePercentage }}" }} of what exact searches find
    description: '"vector-store reindex --all" builds them anew; recall "exact" or "high" in a search does without in the meantime.'
- alert: VectorStoreEventLoopBlocked
  expr: max by ({{ $by }}, pod) (nodejs_eventloop_lag_p99_seconds{ {{- $of -}} }) > 0.5
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: The process of {{ "{{ $labels.pod }}" }} is held up
    description: Requests wait {{ "{{ $value | humanizeDuration }}" }} for the process itself. It has too little CPU or too many requests; add replicas.
{{- end }}
