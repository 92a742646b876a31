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
app.kubernetes.io/name: {{ include "tweetbot.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "tweetbot.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "tweetbot.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* metadata: of (dict "root" $ "name" … "namespace" … "labels" … "annotations" …); no namespace: cluster-scoped. */}}
{{- define "tweetbot.metadata" -}}
name: {{ .name }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- include "tweetbot.labels" .root | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
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
