{{/* Values that the controller or the cluster would not accept are rejected here, all at once. */}}
{{- define "federation.validate" -}}
{{- $wrong := list (include "hanse.check.images" .) (include "hanse.check.pods" .) (include "hanse.check.monitoring" .) (include "hanse.check.resources" (list "resources" .Values.resources)) -}}
{{- $image := printf "%s(:%s)?(@%s)?" (include "hanse.pattern.repository" .) (include "hanse.pattern.tag" .) (include "hanse.pattern.digest" .) -}}
{{- range $template, $reference := .Values.contracts.images -}}
{{- $wrong = append $wrong (include "hanse.check.match" (list (printf "contracts.images.%s" $template) $reference $image "write an image with a tag, a digest or both, such as registry.example.com/contract-notary:0.1.0@sha256:...")) -}}
{{- end -}}
{{- with join "" $wrong -}}
{{- fail (printf "these values cannot work:\n%s" (trim .)) -}}
{{- end -}}
{{- end }}
