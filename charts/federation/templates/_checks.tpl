{{/* Checks of values whose schema could only show a regular expression, or compare nothing. Each prints a line for what is
wrong: the value's name, what it is, and what to write instead. Both charts have the same copy of this file. */}}

{{/* The patterns match what the programs take, and never more. */}}
{{- define "hanse.pattern.label" -}}[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?{{- end }}
{{- define "hanse.pattern.name" -}}{{ include "hanse.pattern.label" . }}([.]{{ include "hanse.pattern.label" . }})*{{- end }}
{{- define "hanse.pattern.objectName" -}}[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*{{- end }}
{{- define "hanse.pattern.port" -}}(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}){{- end }}
{{- define "hanse.pattern.ipv4" -}}((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]){{- end }}
{{- define "hanse.pattern.ipv6" -}}
{{- $h := "[0-9A-Fa-f]{1,4}" -}}
(({{ $h }}:){7}{{ $h }}|({{ $h }}:){1,7}:|({{ $h }}:){1,6}:{{ $h }}|({{ $h }}:){1,5}(:{{ $h }}){1,2}|({{ $h }}:){1,4}(:{{ $h }}){1,3}|({{ $h }}:){1,3}(:{{ $h }}){1,4}|({{ $h }}:){1,2}(:{{ $h }}){1,5}|{{ $h }}:(:{{ $h }}){1,6}|:(:{{ $h }}){1,7}|::)
{{- end }}
{{- define "hanse.pattern.ip" -}}({{ include "hanse.pattern.ipv4" . }}|{{ include "hanse.pattern.ipv6" . }}){{- end }}
{{- define "hanse.pattern.cidr" -}}({{ include "hanse.pattern.ipv4" . }}/(3[0-2]|[12]?[0-9])|{{ include "hanse.pattern.ipv6" . }}/(12[0-8]|1[01][0-9]|[1-9]?[0-9])){{- end }}
{{- define "hanse.pattern.repository" -}}({{ include "hanse.pattern.name" . }}(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*{{- end }}
{{- define "hanse.pattern.tag" -}}[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}{{- end }}
{{- define "hanse.pattern.digest" -}}sha256:[0-9a-f]{64}{{- end }}
{{- define "hanse.pattern.key" -}}({{ include "hanse.pattern.objectName" . }}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?{{- end }}

{{/* list NAME VALUE PATTERN REMEDY */}}
{{- define "hanse.check.match" -}}
{{- $value := index . 1 | toString -}}
{{- if not (regexMatch (printf "^(?:%s)$" (index . 2)) $value) }}
- {{ index . 0 }} is {{ $value | trunc 100 | quote }}: {{ index . 3 }}
{{- end }}
{{- end }}

{{/* A number as people write it: values from a file are floats. */}}
{{- define "hanse.number" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end -}}
{{- end }}

{{/* list NAME VALUE ZERO, where ZERO is whether it may be 0 */}}
{{- define "hanse.check.quantity" -}}
{{- $value := include "hanse.number" (index . 1) -}}
{{- $remedy := "write a number, with a unit if it needs one, such as 64, 1500m, 512Mi or 2Ti" -}}
{{- if not (index . 2) }}{{ $remedy = printf "%s; it has to be greater than 0" $remedy }}{{ end -}}
{{- include "hanse.check.match" (list (index . 0) $value "[0-9]{1,18}([.][0-9]{1,3})?([mkMGTPE]|[KMGTPE]i)?" $remedy) -}}
{{- if and (not (index . 2)) (regexMatch "^[0.]+[A-Za-z]*$" $value) }}
- {{ index . 0 }} is {{ $value | quote }}: {{ $remedy }}
{{- end }}
{{- end }}

{{/* The seconds of a duration in hours, minutes and seconds. */}}
{{- define "hanse.seconds" -}}
{{- $total := 0 -}}
{{- range regexFindAll "[0-9]+[hms]" . -1 -}}
{{- $total = add $total (mul (regexFind "[0-9]+" . | atoi) (get (dict "h" 3600 "m" 60 "s" 1) (regexFind "[hms]" .))) -}}
{{- end -}}
{{- $total -}}
{{- end }}

{{/* list NAME VALUE LEAST MOST, where LEAST and MOST are durations */}}
{{- define "hanse.check.duration" -}}
{{- $wrong := include "hanse.check.match" (list (index . 0) (index . 1) "([0-9]{1,7}[hms])+" "write whole hours, minutes and seconds, such as 1h30m or 80s") -}}
{{- $wrong -}}
{{- if not $wrong -}}
{{- $seconds := include "hanse.seconds" (index . 1) | int64 -}}
{{- if or (lt $seconds (include "hanse.seconds" (index . 2) | int64)) (gt $seconds (include "hanse.seconds" (index . 3) | int64)) }}
- {{ index . 0 }} is {{ index . 1 | quote }}: write a time from {{ index . 2 }} to {{ index . 3 }}
{{- end }}
{{- end }}
{{- end }}

{{/* list NAME IMAGE: an image of the chart's own */}}
{{- define "hanse.check.image" -}}
{{- $name := index . 0 -}}
{{- with index . 1 -}}
{{- include "hanse.check.match" (list (printf "%s.repository" $name) .repository (include "hanse.pattern.repository" $) (printf "write a registry and a name, such as ghcr.io/hanse-io/hanse-federation; a tag goes into %s.tag, a digest into %s.digest" $name $name)) -}}
{{- with .tag -}}
{{- include "hanse.check.match" (list (printf "%s.tag" $name) . (include "hanse.pattern.tag" $) "write a tag, such as 0.1.0, or leave it empty for the chart's own version") -}}
{{- end -}}
{{- with .digest -}}
{{- include "hanse.check.match" (list (printf "%s.digest" $name) . (include "hanse.pattern.digest" $) "write sha256: and 64 hexadecimal digits, or leave it empty to go by the tag") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* list REPOSITORY VALUES: where an image is pulled from. global.imageRegistry takes the place of the registry in its name. */}}
{{- define "hanse.repository" -}}
{{- $repository := index . 0 -}}
{{- $registry := ((index . 1).global).imageRegistry | default "" -}}
{{- if and $registry (not (hasPrefix (printf "%s/" $registry) $repository)) -}}
{{ $registry }}/{{ regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "" }}
{{- else -}}
{{ $repository }}
{{- end -}}
{{- end }}

{{/* Image, registry and pull secrets of a chart. */}}
{{- define "hanse.check.images" -}}
{{- with (.Values.global).imageRegistry -}}
{{- include "hanse.check.match" (list "global.imageRegistry" . (printf "%s(:%s)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*" (include "hanse.pattern.name" $) (include "hanse.pattern.port" $)) "write a registry, with a path if the images lie below one, such as registry.example.com:5000 or registry.example.com/mirror; no scheme before it and no slash behind it") -}}
{{- end -}}
{{- include "hanse.check.image" (list "image" .Values.image) -}}
{{- range $i, $name := .Values.imagePullSecrets -}}
{{- include "hanse.check.match" (list (printf "imagePullSecrets[%d]" $i) $name (include "hanse.pattern.objectName" $) "write the name of a Secret in the release's namespace, such as registry-credentials") -}}
{{- end -}}
{{- end }}

{{/* list NAME MAP: the keys of labels or annotations */}}
{{- define "hanse.check.keys" -}}
{{- $name := index . 0 -}}
{{- range $key, $value := index . 1 -}}
{{- include "hanse.check.match" (list (printf "a key of %s" $name) $key (include "hanse.pattern.key" .) "write a name such as team or example.com/team") -}}
{{- end -}}
{{- end }}

{{/* list NAME MAP: labels, or a selector by labels */}}
{{- define "hanse.check.labels" -}}
{{- $name := index . 0 -}}
{{- include "hanse.check.keys" . -}}
{{- range $key, $value := index . 1 -}}
{{- include "hanse.check.match" (list (printf "%s.%s" $name $key) $value "([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?" "write at most 63 letters, digits, dots, hyphens and underscores, beginning and ending with a letter or digit") -}}
{{- end -}}
{{- end }}

{{/* list NAME MAP PATTERN, which matches the keys that the chart sets itself */}}
{{- define "hanse.check.reserved" -}}
{{- $name := index . 0 -}}{{- $pattern := index . 2 -}}
{{- range $key, $value := index . 1 -}}
{{- if regexMatch $pattern $key }}
- {{ $name }} has {{ $key }}: the chart sets that one itself, so leave it out
{{- end }}
{{- end -}}
{{- end }}

{{/* What every pod of a chart has of the cluster's own. */}}
{{- define "hanse.check.pods" -}}
{{- $own := "^(app[.]kubernetes[.]io/(name|instance|part-of|managed-by|version)|helm[.]sh/chart|federation[.]hanse[.]io/.*)$" -}}
{{- include "hanse.check.labels" (list "podLabels" .Values.podLabels) -}}
{{- include "hanse.check.reserved" (list "podLabels" .Values.podLabels $own) -}}
{{- include "hanse.check.keys" (list "podAnnotations" .Values.podAnnotations) -}}
{{- include "hanse.check.labels" (list "nodeSelector" .Values.nodeSelector) -}}
{{- with .Values.priorityClassName -}}
{{- include "hanse.check.match" (list "priorityClassName" . (include "hanse.pattern.objectName" $) "write the name of a PriorityClass, such as system-cluster-critical") -}}
{{- end -}}
{{- end }}

{{/* list NAME RESOURCES */}}
{{- define "hanse.check.resources" -}}
{{- $name := index . 0 -}}
{{- range $part, $quantities := index . 1 -}}
{{- range $resource, $quantity := $quantities -}}
{{- include "hanse.check.quantity" (list (printf "%s.%s.%s" $name $part $resource) $quantity true) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What both charts have for the Prometheus operator. */}}
{{- define "hanse.check.monitoring" -}}
{{- with .Values.monitoring -}}
{{- include "hanse.check.duration" (list "monitoring.interval" .interval "1s" "10m") -}}
{{- include "hanse.check.labels" (list "monitoring.labels" .labels) -}}
{{- include "hanse.check.labels" (list "monitoring.dashboardLabels" .dashboardLabels) -}}
{{- end -}}
{{- end }}

{{/* Whether the cluster serves the Prometheus operator's kinds: not empty if it does. */}}
{{- define "hanse.monitored" -}}
{{- if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}yes{{ end -}}
{{- end }}
