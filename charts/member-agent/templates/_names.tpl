{{- define "member-agent.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: hanse
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* list IMAGE ROOT */}}
{{- define "member-agent.container" -}}
{{- $image := index . 0 -}}{{- $root := index . 1 -}}
{{- $repository := include "hanse.repository" (list $image.repository $root.Values) -}}
{{- if $image.digest }}
image: {{ $repository }}@{{ $image.digest }}
{{- else }}
image: {{ $repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end }}
imagePullPolicy: {{ $image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "member-agent.pod" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* ConfigMap hanse-member holds the member of this cluster; the agent does not start as another one. */}}
{{- define "member-agent.sameMember" -}}
{{- $kept := lookup "v1" "ConfigMap" .Release.Namespace "hanse-member" -}}
{{- if $kept -}}
{{- $was := dig "data" "name" "" $kept -}}
{{- if and $was (ne $was .Values.member.name) -}}
{{- fail (printf "this cluster is member %s's (ConfigMap hanse-member in namespace %s), and member.name is %s: set member.name=%s again; if another organization is really to take over this cluster, take everything of %s down first and delete the namespace %s with its identity" $was .Release.Namespace .Values.member.name $was $was .Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- end }}
