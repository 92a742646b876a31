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

{{/* Labels by which a NetworkPolicy knows the Pod of `helm test`. */}}
{{- define "tweetbot.testLabels" -}}
app.kubernetes.io/name: {{ include "tweetbot.name" . | toYaml }}
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
app.kubernetes.io/component: test
{{- end }}

{{/* Labels for (dict "root" $ "labels" …). The chart's own win, as selectors use them; then the object's, then commonLabels. */}}
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

{{/* Metadata for (dict "root" $ "name" … "namespace" … "labels" … "annotations" …); without namespace, cluster-scoped. */}}
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

{{/* Image name for (list $ $image): a digest wins over a tag; global.imageRegistry is prepended. */}}
{{- define "tweetbot.image" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- with $root.Values.global.imageRegistry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default $root.Chart.AppVersion $image.tag }}{{ end }}
{{- end }}

{{- define "tweetbot.serviceAccountName" -}}
{{- default (ternary (include "tweetbot.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{/* A value as text. Helm passes large integers as floats, which would print as 1e+06. */}}
{{- define "tweetbot.text" -}}
{{- if kindIs "float64" . }}{{ if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- else if kindIs "map" . }}
{{- $given := dict }}{{/* Helm leaves out what is null in values, and not what is null in a file */}}
{{- range $key, $value := . }}{{ if not (kindIs "invalid" $value) }}{{ $_ := set $given $key $value }}{{ end }}{{ end }}
{{- toJson $given }}
{{- else }}{{ . }}{{ end }}
{{- end }}

{{/* Port of every trainer's progress (tweetbot_contract.progress.PROGRESS_PORT). */}}
{{- define "tweetbot.progressPort" -}}
8765
{{- end }}

{{/* The label that the operator puts on every Job and Pod that it creates. */}}
{{- define "tweetbot.trainerLabels" -}}
app.kubernetes.io/managed-by: tweetbot-operator
{{- end }}
