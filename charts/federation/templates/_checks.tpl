{{- define "federation.checkResources" -}}
{{- $at := .at }}
{{- range $part := list "requests" "limits" }}
{{- range $name, $amount := (get (default dict $.resources) $part) }}
{{- if not (regexMatch "^[0-9]+([.][0-9]+)?([KMGTPE]i|[mkMGTPE])?$" (toString $amount)) }}
{{- fail (printf "%s.%s.%s %q is no amount: write a number with its unit, such as 500m or 64Mi" $at $part $name (toString $amount)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
