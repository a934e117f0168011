{{/* A Deployment: (dict "root" $ "component" "server") or "worker". Both run the same image with the same settings;
a worker has no API. */}}

{{- define "vector-store.deployment" -}}
{{- $component := .component }}
{{- $isWorker := eq .component "worker" }}
{{- $root := .root }}
{{- with $root }}
{{- $embedded := eq .Values.database.mode "embedded" }}
{{- $name := include "vector-store.fullname" . }}
{{- if $isWorker }}
{{- $name = include "vector-store.workerName" . }}
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "vector-store.metadata" (dict "root" . "component" $component "name" $name "labels" .Values.deploymentLabels "annotations" .Values.deploymentAnnotations) | nindent 2 }}
spec:
  {{- if $isWorker }}
  replicas: {{ .Values.worker.replicas }}
  {{- else if $embedded }}
  replicas: 1
  {{- else if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  revisionHistoryLimit: {{ .Values.revisionHistoryLimit }}
  strategy:
    {{- if $embedded }}
    type: Recreate
    {{- else }}
    {{- toYaml .Values.strategy | nindent 4 }}
    {{- end }}
  selector:
    matchLabels:
      {{- include "vector-store.selectorLabels" (list . $component) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "vector-store.labels" (list . $component .Values.podLabels) | nindent 8 }}
      annotations:
        {{- $annotations := dict
          "checksum/config" (include "vector-store.settings" . | sha256sum)
          "kubectl.kubernetes.io/default-container" "vector-store" }}
        {{- mergeOverwrite (deepCopy .Values.commonAnnotations) $annotations .Values.podAnnotations | toYaml | nindent 8 }}
    spec:
      {{- include "vector-store.podSpec" . | nindent 6 }}
      serviceAccountName: {{ include "vector-store.serviceAccountName" . }}
      terminationGracePeriodSeconds: {{ with .Values.shutdown }}{{ add .preStopSeconds .delaySeconds .drainSeconds .marginSeconds }}{{ end }}
      {{- with .Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with include "vector-store.topologySpread" (list . $component) }}
      {{- trim . | nindent 6 }}
      {{- end }}
      {{- with .Values.initContainers }}
      initContainers:
        {{- include "vector-store.render" (list $root .) | nindent 8 }}
      {{- end }}
      containers:
        - name: vector-store
          {{- include "vector-store.container" . | nindent 10 }}
          {{- if $isWorker }}
          args: [worker]
          {{- end }}
          ports:
            - name: http
              containerPort: 8000
              protocol: TCP
          envFrom:
            - configMapRef:
                name: {{ include "vector-store.fullname" . }}
            {{- with .Values.envFrom }}
            {{- include "vector-store.render" (list $root .) | nindent 12 }}
            {{- end }}
          env:
            {{- if and (not $isWorker) .Values.worker.replicas }}
            {{- /* The workers ingest; this overrides the ConfigMap, which both read. */}}
            - name: INGEST_CONCURRENCY
              value: "0"
            {{- end }}
            {{- include "vector-store.env" . | trim | nindent 12 }}
          startupProbe:
            httpGet:
              path: /livez
              port: http
            {{- toYaml .Values.probes.startup | nindent 12 }}
          livenessProbe:
            httpGet:
              path: /livez
              port: http
            {{- toYaml .Values.probes.liveness | nindent 12 }}
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
            {{- toYaml .Values.probes.readiness | nindent 12 }}
          {{- /* A worker is in no service from which it would have to be removed first. */}}
          {{- with and (not $isWorker) .Values.shutdown.preStopSeconds }}
          lifecycle:
            preStop:
              exec:
                command: [sleep, {{ . | quote }}]
          {{- end }}
          resources:
            {{- toYaml (ternary (.Values.worker.resources | default .Values.resources) .Values.resources $isWorker) | nindent 12 }}
          volumeMounts:
            {{- include "vector-store.volumeMounts" . | nindent 12 }}
        {{- with .Values.sidecars }}
        {{- include "vector-store.render" (list $root .) | nindent 8 }}
        {{- end }}
      volumes:
        {{- include "vector-store.volumes" . | nindent 8 }}
{{- end }}
{{- end }}
