package v1alpha1

import "encoding/json"

// Each kind decodes whatever the API server may hold, and is encoded only if it was decoded completely: see Undecodable.

type plainMember Member

// UnmarshalJSON decodes a Member; what cannot be decoded is listed in Undecodable.
func (in *Member) UnmarshalJSON(data []byte) error {
	bad, err := decodeWhole(data, (*plainMember)(in))
	in.Undecodable = bad
	return err
}

// MarshalJSON encodes a Member that was decoded completely.
func (in Member) MarshalJSON() ([]byte, error) {
	if err := in.Undecodable.writable("Member", in.Name); err != nil {
		return nil, err
	}
	return json.Marshal(plainMember(in))
}

// GetUndecodable lists what could not be decoded.
func (in *Member) GetUndecodable() Undecodable { return in.Undecodable }

type plainLine Line

// UnmarshalJSON decodes a Line; what cannot be decoded is listed in Undecodable.
func (in *Line) UnmarshalJSON(data []byte) error {
	bad, err := decodeWhole(data, (*plainLine)(in))
	in.Undecodable = bad
	return err
}

// MarshalJSON encodes a Line that was decoded completely.
func (in Line) MarshalJSON() ([]byte, error) {
	if err := in.Undecodable.writable("Line", in.Name); err != nil {
		return nil, err
	}
	return json.Marshal(plainLine(in))
}

// GetUndecodable lists what could not be decoded.
func (in *Line) GetUndecodable() Undecodable { return in.Undecodable }

type plainConsortium Consortium

// UnmarshalJSON decodes a Consortium; what cannot be decoded is listed in Undecodable.
func (in *Consortium) UnmarshalJSON(data []byte) error {
	bad, err := decodeWhole(data, (*plainConsortium)(in))
	in.Undecodable = bad
	return err
}

// MarshalJSON encodes a Consortium that was decoded completely.
func (in Consortium) MarshalJSON() ([]byte, error) {
	if err := in.Undecodable.writable("Consortium", in.Name); err != nil {
		return nil, err
	}
	return json.Marshal(plainConsortium(in))
}

// GetUndecodable lists what could not be decoded.
func (in *Consortium) GetUndecodable() Undecodable { return in.Undecodable }

type plainChannel Channel

// UnmarshalJSON decodes a Channel; what cannot be decoded is listed in Undecodable.
func (in *Channel) UnmarshalJSON(data []byte) error {
	bad, err := decodeWhole(data, (*plainChannel)(in))
	in.Undecodable = bad
	return err
}

// MarshalJSON encodes a Channel that was decoded completely.
func (in Channel) MarshalJSON() ([]byte, error) {
	if err := in.Undecodable.writable("Channel", in.Name); err != nil {
		return nil, err
	}
	return json.Marshal(plainChannel(in))
}

// GetUndecodable lists what could not be decoded.
func (in *Channel) GetUndecodable() Undecodable { return in.Undecodable }

type plainContract Contract

// UnmarshalJSON decodes a Contract; what cannot be decoded is listed in Undecodable.
func (in *Contract) UnmarshalJSON(data []byte) error {
	bad, err := decodeWhole(data, (*plainContract)(in))
	in.Undecodable = bad
	return err
}

// MarshalJSON encodes a Contract that was decoded completely.
func (in Contract) MarshalJSON() ([]byte, error) {
	if err := in.Undecodable.writable("Contract", in.Name); err != nil {
		return nil, err
	}
	return json.Marshal(plainContract(in))
}

// GetUndecodable lists what could not be decoded.
func (in *Contract) GetUndecodable() Undecodable { return in.Undecodable }

type plainMemberPlan MemberPlan

// UnmarshalJSON decodes a MemberPlan; what cannot be decoded is listed in Undecodable.
func (in *MemberPlan) UnmarshalJSON(data []byte) error {
	bad, err := decodeWhole(data, (*plainMemberPlan)(in))
	in.Undecodable = bad
	in.Spec.expand()
	return err
}

// MarshalJSON encodes a MemberPlan that was decoded completely.
func (in MemberPlan) MarshalJSON() ([]byte, error) {
	if err := in.Undecodable.writable("MemberPlan", in.Name); err != nil {
		return nil, err
	}
	in.Spec = in.Spec.compact()
	return json.Marshal(plainMemberPlan(in))
}

// GetUndecodable lists what could not be decoded.
func (in *MemberPlan) GetUndecodable() Undecodable { return in.Undecodable }
