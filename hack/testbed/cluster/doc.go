// Package cluster runs one real Kubernetes cluster in one network namespace: etcd, the control plane, containerd, a
// kubelet, kube-proxy and what every cluster has (DNS, a storage class). It renders their configuration, starts them
// in order, waits until they serve, and kills them like a power cut.
//
// It must not know of lines or of other clusters.
package cluster
