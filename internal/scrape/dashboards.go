package scrape

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Panel is one expression of a panel of a dashboard.
type Panel struct {
	Title string
	// Expr has values for Grafana's variables: everything, and five minutes.
	Expr string
}

// Panels are the expressions of a dashboard's file, and those from which its variables take their values.
func Panels(path string) ([]Panel, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var found []Panel
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			found = append(found, Panel{panel.Title, substitute(target.Expr)})
		}
	}
	for _, variable := range dashboard.Templating.List {
		if variable.Definition != "" {
			metric, label, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(variable.Definition, "label_values("), ")"), ", ")
			found = append(found, Panel{"variable " + variable.Name, fmt.Sprintf("count by (%s) (%s)", label, metric)})
		}
	}
	return found, nil
}

var variables = strings.NewReplacer("$__rate_interval", "5m", "$consortium", ".*", "$channel", ".*", "$line", ".*")

func substitute(expression string) string { return variables.Replace(expression) }
