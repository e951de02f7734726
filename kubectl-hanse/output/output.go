// Package output prints what commands have found in the formats that people know from kubectl: -o json, yaml, jsonpath
// and its other templates by cli-runtime's own printers. It must not know what is printed, and prints no text for people.
package output

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
)

// APIVersion of all that is printed for programs. Fields are added to it; none changes its meaning or goes.
const APIVersion = "plugin.hanse.io/v1alpha1"

// Wide is the format for people who want to see more.
const Wide = "wide"

// Format is the value of a command's flag --output.
type Format struct {
	flags *genericclioptions.PrintFlags
	own   []string
}

// NewFormat is a format that is byDefault if nothing was chosen; "" is text for people. own are the formats that the command
// itself knows to print.
func NewFormat(byDefault string, own ...string) *Format {
	return &Format{own: own, flags: &genericclioptions.PrintFlags{
		OutputFormat: &byDefault, JSONYamlPrintFlags: genericclioptions.NewJSONYamlPrintFlags(),
		TemplatePrinterFlags: genericclioptions.NewKubeTemplatePrintFlags(),
	}}
}

// AddFlags adds --output and those for templates.
func (f *Format) AddFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(f.flags.OutputFormat, "output", "o", *f.flags.OutputFormat, "output format, one of: "+strings.Join(f.allowed(), ", "))
	f.flags.TemplatePrinterFlags.AddFlags(cmd)
	f.flags.OutputFlagSpecified = func() bool { return cmd.Flags().Changed("output") }
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.allowed(), cobra.ShellCompDirectiveNoFileComp))
}

func (f *Format) allowed() []string { return slices.Concat(f.own, f.flags.AllowedFormats()) }

// Chosen is the format by its name; "" is text for people.
func (f *Format) Chosen() string {
	if *f.flags.TemplatePrinterFlags.TemplateArgument != "" && !f.flags.OutputFlagSpecified() {
		return "go-template"
	}
	return *f.flags.OutputFormat
}

// ForPeople is whether the command itself prints text, rather than Print a document.
func (f *Format) ForPeople() bool { return f.Chosen() == "" || slices.Contains(f.own, f.Chosen()) }

// Validate says what is wrong with the flags, before any work is done.
func (f *Format) Validate() error {
	if f.ForPeople() {
		return nil
	}
	_, err := f.printer()
	return err
}

func (f *Format) printer() (printers.ResourcePrinter, error) {
	printer, err := f.flags.ToPrinter()
	if genericclioptions.IsNoCompatiblePrinterError(err) {
		return nil, exitcode.Usagef("--output %q is no format of this command: give one of %s", f.Chosen(), strings.Join(f.allowed(), ", "))
	}
	if err != nil {
		return nil, exitcode.With(exitcode.Usage, fmt.Errorf("--output %s: %w", f.Chosen(), err))
	}
	return printer, nil
}

// Printer prints documents one after the other.
type Printer struct{ printer printers.ResourcePrinter }

// Printer of the format that was chosen.
func (f *Format) Printer() (Printer, error) {
	printer, err := f.printer()
	return Printer{printer}, err
}

// Print prints a document: a struct by its JSON fields, with the kind and APIVersion before them.
func (p Printer) Print(out io.Writer, kind string, document any) error {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(document)
	if err != nil {
		return fmt.Errorf("print %s: %w", kind, err)
	}
	object := &unstructured.Unstructured{Object: fields}
	object.SetAPIVersion(APIVersion)
	object.SetKind(kind)
	return p.printer.PrintObj(object, out)
}

// PrintForeign prints a document whose format is somebody else's, as by a template.
func (p Printer) PrintForeign(out io.Writer, fields map[string]any) error {
	return p.printer.PrintObj(&unstructured.Unstructured{Object: fields}, out)
}

// Print prints one document in the format that was chosen.
func (f *Format) Print(out io.Writer, kind string, document any) error {
	printer, err := f.Printer()
	if err != nil {
		return err
	}
	return printer.Print(out, kind, document)
}
