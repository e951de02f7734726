{{- define "federation.selector" -}}
app.kubernetes.io/name: federation
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "federation.labels" -}}
{{ include "federation.selector" . }}
app.kubernetes.io/part-of: hanse
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "federation.image" -}}
{{- if .Values.image.digest -}}
{{ include "hanse.repository" (list .Values.image.repository .Values) }}@{{ .Values.image.digest }}
{{- else -}}
{{ include "hanse.repository" (list .Values.image.repository .Values) }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}
