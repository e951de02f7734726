{{/* Values that the agent, the gateway or the cluster would reject fail here, all of them at once. */}}
{{- define "member-agent.validate" -}}
{{- $wrong := list -}}
{{- range list "member" "host" "policy" "networkPolicy" "agent" "gateway" "monitoring" -}}
{{- $wrong = append $wrong (include (printf "member-agent.check.%s" .) $) -}}
{{- end -}}
{{- $wrong = concat $wrong (list (include "hanse.check.images" .) (include "hanse.check.pods" .)) -}}
{{- with join "" $wrong -}}
{{- fail (printf "these values cannot work:\n%s" (trim .)) -}}
{{- end -}}
{{- end }}

{{- define "member-agent.check.member" -}}
{{- with .Values.member -}}
{{- include "hanse.check.match" (list "member.name" .name "[a-z]([a-z0-9-]*[a-z0-9])?" "write the name that this organization has on the host: lower-case letters, digits and hyphens, beginning with a letter; `kubectl hanse invite NAME` there prints all the values") -}}
{{- with .mspID -}}
{{- include "hanse.check.match" (list "member.mspID" . "[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?" "write letters, digits, dots and hyphens, beginning and ending with a letter or digit, such as Org1MSP, as the Member on the host has it; or leave it empty") -}}
{{- end -}}
{{- end -}}
{{- include "hanse.check.match" (list "clusterDomain" .Values.clusterDomain (include "hanse.pattern.objectName" .) "write this cluster's DNS domain in lower case, without a dot before or after it, such as cluster.local") -}}
{{- with .Values.identity.issuerRef -}}
{{- with .name -}}
{{- include "hanse.check.match" (list "identity.issuerRef.name" . (include "hanse.pattern.objectName" $) "write the name of an Issuer in this namespace or of a ClusterIssuer, or leave it empty for a root of Hanse's own") -}}
{{- end -}}
{{- include "hanse.check.match" (list "identity.issuerRef.group" .group (include "hanse.pattern.objectName" $) "write the API group of the issuer, such as cert-manager.io") -}}
{{- if eq .group "cert-manager.io" -}}
{{- include "hanse.check.match" (list "identity.issuerRef.kind" .kind "Issuer|ClusterIssuer" "write Issuer or ClusterIssuer, or the API group of the issuer in identity.issuerRef.group if it is of another kind") -}}
{{- else -}}
{{- include "hanse.check.match" (list "identity.issuerRef.kind" .kind "[A-Z][A-Za-z0-9]*" "write the issuer's kind, such as ClusterIssuer") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "member-agent.check.host" -}}
{{- with .Values.host -}}
{{- include "hanse.check.match" (list "host.server" .server (printf "https://(%s|\\[%s\\])(:%s)?(/[^\\s?#]*)?" (include "hanse.pattern.name" $) (include "hanse.pattern.ipv6" $) (include "hanse.pattern.port" $)) "write the https URL at which this cluster reaches the host's API server, such as https://203.0.113.10:6443") -}}
{{- $pem := regexReplaceAll "\\s+" .caData "" | b64dec -}}
{{- $certificates := regexFindAll "-----BEGIN CERTIFICATE-----\\s[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----" $pem -1 -}}
{{- $whole := $certificates -}}
{{- range $certificates -}}
{{- if ne (include "member-agent.certificate" .) "whole" }}{{ $whole = false }}{{ end -}}
{{- end -}}
{{- if contains "PRIVATE KEY" $pem }}
- host.caData holds a private key, which belongs to the host alone: write the certificate only, as `base64 -w0 ca.crt` prints it
{{- else if not $whole }}
- host.caData is not base64 of a whole PEM certificate: write what `base64 -w0 ca.crt` prints, where ca.crt is the authority behind the host's API server and begins with -----BEGIN CERTIFICATE-----
{{- end }}
{{- end -}}
{{- if regexMatch "[^!-~]" .Values.bootstrap.token }}
- bootstrap.token has white space, or a letter that no token has: write the token as `kubectl hanse invite` printed it, on one line, or leave it empty
{{- end }}
{{- end }}

{{/* "whole" if a PEM block is base64 of an ASN.1 sequence that has the length which it says. */}}
{{- define "member-agent.certificate" -}}
{{- $der := regexReplaceAll "-----[A-Z ]+-----|\\s+" . "" | b64dec -}}
{{- if and (gt (len $der) 4) (eq (index $der 0 | int) 0x30) -}}
{{- $second := index $der 1 | int -}}
{{- if and (eq $second 0x82) (eq (len $der | int64) (add 4 (mul 256 (index $der 2)) (index $der 3))) }}whole{{ end -}}
{{- if and (eq $second 0x81) (eq (len $der | int64) (add 3 (index $der 2))) }}whole{{ end -}}
{{- end -}}
{{- end }}

{{- define "member-agent.check.policy" -}}
{{- with .Values.policy -}}
{{- range $list := list "nodeImages" "contractImages" -}}
{{- range $i, $image := get $.Values.policy $list -}}
{{- include "hanse.check.match" (list (printf "policy.%s[%d]" $list $i) $image "[*]|[A-Za-z0-9][A-Za-z0-9._:/@+-]*" "write the beginning of an image's name, such as ghcr.io/hanse-io/, one in each entry; * stands for every image only where it stands alone") -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := .limits -}}
{{- include "hanse.check.quantity" (list (printf "policy.limits.%s" $name) $value false) -}}
{{- end -}}
{{- $san := printf "[.]?([*][.])?%s|%s|%s" (include "hanse.pattern.objectName" $) (include "hanse.pattern.ip" $) (include "hanse.pattern.cidr" $) -}}
{{- range $i, $name := .extraSANs -}}
{{- $where := printf "policy.extraSANs[%d]" $i -}}
{{- $remedy := "write a DNS name in lower case such as peer0.example.com, a domain with a dot before it such as .example.com, an IP address, or a CIDR such as 192.0.2.0/24" -}}
{{- include "hanse.check.match" (list $where $name $san $remedy) -}}
{{- if and (regexMatch "(^|[.])[0-9]+$" $name) (not (regexMatch (printf "^%s$" (include "hanse.pattern.ip" $)) $name)) }}
- {{ $where }} is {{ $name | quote }}, no whole IP address: {{ $remedy }}
{{- end }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "member-agent.check.networkPolicy" -}}
{{- with .Values.networkPolicy -}}
{{- range $list := list "applicationNamespaces" "monitoringNamespaces" -}}
{{- range $i, $namespace := get $.Values.networkPolicy $list -}}
{{- include "hanse.check.match" (list (printf "networkPolicy.%s[%d]" $list $i) $namespace "[a-z0-9]([a-z0-9-]*[a-z0-9])?" "write the name of a namespace") -}}
{{- end -}}
{{- end -}}
{{- range $i, $peer := .nodeIngress -}}
{{- include "member-agent.check.peer" (list (printf "networkPolicy.nodeIngress[%d]" $i) $peer) -}}
{{- end -}}
{{- range $list := list "nodeEgress" "contractEgress" -}}
{{- range $i, $rule := get $.Values.networkPolicy $list -}}
{{- range $j, $peer := $rule.to -}}
{{- include "member-agent.check.peer" (list (printf "networkPolicy.%s[%d].to[%d]" $list $i $j) $peer) -}}
{{- end -}}
{{- range $j, $port := $rule.ports -}}
{{- include "member-agent.check.port" (list (printf "networkPolicy.%s[%d].ports[%d]" $list $i $j) $port) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* list NAME NETWORKPOLICYPEER */}}
{{- define "member-agent.check.peer" -}}
{{- $name := index . 0 -}}{{- $peer := index . 1 -}}
{{- with $peer.ipBlock -}}
{{- include "hanse.check.match" (list (printf "%s.ipBlock.cidr" $name) .cidr (include "hanse.pattern.cidr" .) "write a CIDR, such as 198.51.100.0/24") -}}
{{- range $i, $except := .except -}}
{{- include "hanse.check.match" (list (printf "%s.ipBlock.except[%d]" $name $i) $except (include "hanse.pattern.cidr" .) "write a CIDR within ipBlock.cidr, such as 198.51.100.8/32") -}}
{{- end -}}
{{- if or (hasKey $peer "podSelector") (hasKey $peer "namespaceSelector") }}
- {{ $name }} has an ipBlock and a selector: write each into an entry of its own
{{- end }}
{{- end -}}
{{- range $kind := list "podSelector" "namespaceSelector" -}}
{{- with get $peer $kind -}}
{{- include "hanse.check.labels" (list (printf "%s.%s.matchLabels" $name $kind) .matchLabels) -}}
{{- range $i, $e := .matchExpressions -}}
{{- if eq (empty $e.values) (has $e.operator (list "In" "NotIn")) }}
- {{ $name }}.{{ $kind }}.matchExpressions[{{ $i }}] has the operator {{ $e.operator }}: write values for In and NotIn, and none for Exists and DoesNotExist
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* list NAME NETWORKPOLICYPORT */}}
{{- define "member-agent.check.port" -}}
{{- $name := index . 0 -}}{{- $port := index . 1 -}}
{{- if kindIs "string" $port.port -}}
{{- $remedy := "write a port from 1 to 65535 as a number, or the name of a container's port, such as https" -}}
{{- include "hanse.check.match" (list (printf "%s.port" $name) $port.port "[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?" $remedy) -}}
{{- if regexMatch "^[0-9]+$" $port.port }}
- {{ $name }}.port is the text {{ $port.port | quote }}: {{ $remedy }}
{{- end }}
{{- end -}}
{{- if hasKey $port "endPort" -}}
{{- if or (kindIs "string" $port.port) (not (hasKey $port "port")) (lt (int $port.endPort) (int $port.port)) }}
- {{ $name }}.endPort is {{ int $port.endPort }}: write a port that is not below the one in port, which has to be a number beside it
{{- end }}
{{- end -}}
{{- end }}

{{- define "member-agent.check.monitoring" -}}
{{- include "hanse.check.monitoring" . -}}
{{- range $i, $name := .Values.monitoring.consortia -}}
{{- include "hanse.check.match" (list (printf "monitoring.consortia[%d]" $i) $name "[a-z]([a-z0-9-]*[a-z0-9])?" "write the name of a Consortium, such as trade") -}}
{{- end -}}
{{- end }}

{{- define "member-agent.check.agent" -}}
{{- with .Values.agent -}}
{{- $wrong := include "hanse.check.duration" (list "agent.leaseInterval" .leaseInterval "1s" "10m") -}}
{{- $wrong = print $wrong (include "hanse.check.duration" (list "agent.leaseDuration" .leaseDuration "1s" "10m")) -}}
{{- $wrong -}}
{{- if and (not $wrong) (lt (include "hanse.seconds" .leaseDuration | int64) (include "hanse.seconds" .leaseInterval | int64)) }}
- agent.leaseDuration is {{ .leaseDuration }}, less than agent.leaseInterval ({{ .leaseInterval }}), so that the host would lose sight of the agent between two renewals: write {{ .leaseInterval }} at least, or a shorter agent.leaseInterval
{{- end }}
{{- include "hanse.check.duration" (list "agent.credentialLifetime" .credentialLifetime "10m" "168h") -}}
{{- include "hanse.check.resources" (list "agent.resources" .resources) -}}
{{- end -}}
{{- end }}

{{- define "member-agent.check.gateway" -}}
{{- with .Values.gateway -}}
{{- include "hanse.check.image" (list "gateway.image" .image) -}}
{{- $local := "(?i)(^|[.])(localhost|local|svc|hanse|hanse-[^.]*|0x[^.]*)[.]?$|(^|[.])svc[.]" -}}
{{- $name := printf "%s([.]%s)*[.]%s[.]?" (include "hanse.pattern.label" $) (include "hanse.pattern.label" $) (include "hanse.pattern.label" $) -}}
{{- $port := include "hanse.pattern.port" $ -}}
{{- range $i, $address := .addresses -}}
{{- $where := printf "gateway.addresses[%d]" $i -}}
{{- $remedy := "write the address at which the other organizations reach this gateway, with a port from 1 to 65535 if it is not 7443: 203.0.113.1, [2001:db8::1]:30443 or line.example.com" -}}
{{- include "hanse.check.match" (list $where $address (printf "(%s|%s)(:%s)?|%s|\\[%s\\]:%s" (include "hanse.pattern.ipv4" $) $name $port (include "hanse.pattern.ipv6" $) (include "hanse.pattern.ipv6" $) $port) $remedy) -}}
{{- $host := regexReplaceAll ":[0-9]+$" $address "" -}}
{{- if and (not (contains ":" $host)) (or (regexMatch $local $host) (and (regexMatch "[.][0-9]+[.]?$" $host) (not (regexMatch (printf "^%s$" (include "hanse.pattern.ipv4" $)) $host)))) }}
- {{ $where }} is {{ $address | quote }}, which leads nowhere from another network: {{ $remedy }}
{{- end }}
{{- end -}}
{{- $network := printf "%s|%s" (include "hanse.pattern.ip" $) (include "hanse.pattern.cidr" $) -}}
{{- $mapped := "(?i)^[0:]*:ffff:[^:]+:[^:]+/" -}}
{{- range $i, $entry := .lines.allow -}}
{{- $where := printf "gateway.lines.allow[%d]" $i -}}
{{- $remedy := "write a CIDR such as 203.0.113.0/24, an IP address, or a whole DNS name such as lines.example.com, which stands for what lies below it too; no port" -}}
{{- include "hanse.check.match" (list $where $entry (printf "%s|[.]?%s" $network $name) $remedy) -}}
{{- if or (regexMatch $mapped $entry) (regexMatch $local $entry) (and (regexMatch "[.][0-9]+[.]?$" $entry) (not (regexMatch (printf "^%s$" (include "hanse.pattern.ipv4" $)) $entry))) }}
- {{ $where }} is {{ $entry | quote }}, where no line can end: {{ $remedy }}
{{- end }}
{{- end -}}
{{- range $i, $entry := .lines.deny -}}
{{- $where := printf "gateway.lines.deny[%d]" $i -}}
{{- $remedy := "write a CIDR such as 10.42.0.0/16, or an IP address; a name cannot be excluded, and neither can a port" -}}
{{- include "hanse.check.match" (list $where $entry $network $remedy) -}}
{{- if regexMatch $mapped $entry }}
- {{ $where }} is {{ $entry | quote }}, IPv4 in the form of IPv6: {{ $remedy }}
{{- end }}
{{- end -}}
{{- with .limits -}}
{{- range $total, $source := dict "connections" "connectionsPerSource" "halfOpen" "halfOpenPerSource" -}}
{{- $most := div (int (get $.Values.gateway.limits $total)) 2 -}}
{{- if gt (int (get $.Values.gateway.limits $source)) (int $most) }}
- gateway.limits.{{ $source }} is {{ int (get $.Values.gateway.limits $source) }}, more than half of {{ $total }} ({{ int (get $.Values.gateway.limits $total) }}), so that two sources could take the room of all others: write {{ $most }} at the most, or a larger {{ $total }}
{{- end }}
{{- end -}}
{{- include "hanse.check.duration" (list "gateway.limits.handshakeTimeout" .handshakeTimeout "1s" "10m") -}}
{{- include "hanse.check.duration" (list "gateway.limits.idleTimeout" .idleTimeout "1s" "8760h") -}}
{{- end -}}
{{- with .service -}}
{{- with .loadBalancerIP -}}
{{- include "hanse.check.match" (list "gateway.service.loadBalancerIP" . (include "hanse.pattern.ip" $) "write an IP address, such as 203.0.113.1, or leave it empty") -}}
{{- end -}}
{{- with .loadBalancerClass -}}
{{- include "hanse.check.match" (list "gateway.service.loadBalancerClass" . (include "hanse.pattern.key" $) "write the class's name, such as example.com/internal, or leave it empty") -}}
{{- end -}}
{{- if and (ne .type "LoadBalancer") (or .loadBalancerIP .loadBalancerClass) }}
- gateway.service.type is {{ .type }}, and gateway.service.loadBalancerIP and loadBalancerClass are for type LoadBalancer only: leave them empty, or change the type
{{- end }}
{{- include "hanse.check.keys" (list "gateway.service.annotations" .annotations) -}}
{{- include "hanse.check.reserved" (list "gateway.service.annotations" .annotations "^helm[.]sh/") -}}
{{- end -}}
{{- include "hanse.check.resources" (list "gateway.resources" .resources) -}}
{{- end -}}
{{- end }}
