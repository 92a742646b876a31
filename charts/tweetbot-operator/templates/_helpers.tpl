{{/* Names, labels and images that several templates share. */}}

{{- define "tweetbot.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 46 | trimSuffix "-" }}
{{- end }}

{{- define "tweetbot.fullname" -}}
{{- $name := include "tweetbot.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 46 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 46 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "tweetbot.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "tweetbot.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tweetbot.name" . | toYaml }}
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
app.kubernetes.io/component: operator
{{- end }}

{{/* By which the Pod of `helm test` is known, to a NetworkPolicy. */}}
{{- define "tweetbot.testLabels" -}}
app.kubernetes.io/name: {{ include "tweetbot.name" . | toYaml }}
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
app.kubernetes.io/component: test
{{- end }}

{{/* Labels of (dict "root" $ "labels" …): selectors go by the chart's own, so they win; then the object's, then all's. */}}
{{- define "tweetbot.labels" -}}
{{- $chart := printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- $own := dict
  "helm.sh/chart" $chart
  "app.kubernetes.io/name" (include "tweetbot.name" .root)
  "app.kubernetes.io/instance" .root.Release.Name
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- merge $own (default (dict) .labels) .root.Values.commonLabels | toYaml }}
{{- end }}

{{/* metadata: of (dict "root" $ "name" … "namespace" … "labels" … "annotations" …); no namespace: cluster-scoped. */}}
{{- define "tweetbot.metadata" -}}
name: {{ .name | toYaml }}
{{- with .namespace }}
namespace: {{ . | toYaml }}
{{- end }}
labels:
  {{- include "tweetbot.labels" . | nindent 2 }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* An image of (list $ $image): a digest wins over a tag, a registry of all charts goes first. */}}
{{- define "tweetbot.image" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- with $root.Values.global.imageRegistry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default $root.Chart.AppVersion $image.tag }}{{ end }}
{{- end }}

{{- define "tweetbot.serviceAccountName" -}}
{{- default (ternary (include "tweetbot.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{/* A value as text. YAML's large integers reach templates as floats, which would be printed as 1e+06. */}}
{{- define "tweetbot.text" -}}
{{- if kindIs "float64" . }}{{ if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* The Secret of the progress endpoint's certificate; empty: progress is off. */}}
{{- define "tweetbot.progressSecret" -}}
{{- if .Values.progress.existingSecret }}
{{- .Values.progress.existingSecret }}
{{- else if .Values.progress.certManager.enabled }}
{{- include "tweetbot.fullname" . }}-progress
{{- end }}
{{- end }}

{{- define "tweetbot.progressHost" -}}
{{ include "tweetbot.fullname" . }}-progress.{{ include "tweetbot.namespace" . }}.svc
{{- end }}

{{/* By which trainers are known: the operator puts this label on every Job and Pod it makes. */}}
{{- define "tweetbot.trainerLabels" -}}
app.kubernetes.io/managed-by: tweetbot-operator
{{- end }}
